"""A local stand-in of Google Cloud: it keeps state, so that real gcloud commands have an effect.

    proxy.py      one HTTP proxy behind which every name ends, and what was asked of it
    run.py        Cloud Run: services, revisions, traffic, who may call
    running.py    the services' own addresses: tokens checked, requests handed to real functions
    tokens.py     identity tokens of service accounts
    storage.py    buckets and objects
    builds.py     Cloud Build: takes a build and its source, runs nothing

gcloud is sent here by endpoint overrides and its proxy settings, without credentials.
"""
