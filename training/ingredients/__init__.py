"""The training table: public sources and hand-written lists in, one labelled table out."""
