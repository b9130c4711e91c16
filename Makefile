# The commands of this repository. LESSON=step-1-kiss-requirements chooses one lesson (step-1
# is enough), PORT=8010 the port on this machine, PYTHON=python3.12 the Python for the suite.

PYTHON ?= python3
LESSON ?=
RUNS ?=
# As one word, whatever was typed
NAME = $(if $(LESSON),"$(LESSON)")

PREPARE = @$(PYTHON) -m series.prepare
SERIES = @.venv/bin/python -m series
NO_SUITE = "Nothing was started by make yet. In a lesson's folder type: docker compose down"
IF_STARTED = @test -x .venv/bin/python || { echo $(NO_SUITE); exit; }; .venv/bin/python -m series

.PHONY: help up down test test-deep readmes measure rivals verdicts doctor clean
.DEFAULT_GOAL := help

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: ## build and start a lesson (LESSON=…, PORT=…), wait for its answer and print it
	$(PREPARE) $(or $(NAME),--last)
	$(SERIES) up $(NAME)

down: ## stop and remove what make up started
	$(IF_STARTED) down $(NAME)

test: ## build and test every lesson (LESSON=… for one) on the real Docker Engine
	$(PREPARE) $(NAME)
	@.venv/bin/python -m pytest $(if $(LESSON),--lesson=$(NAME))

test-deep: ## run the slow tests that make test skips (LESSON=… for one)
	$(PREPARE) $(NAME)
	@.venv/bin/python -m pytest -m deep $(if $(LESSON),--lesson=$(NAME))

readmes: ## bring the generated parts of the READMEs up to date
	$(PREPARE) --suite-only
	$(SERIES) readmes

measure: ## measure what extra 2 says about speed, in five runs (RUNS=1 for a first look)
	$(PREPARE) extra-2-need-for-speed
	$(SERIES) measure "$(or $(RUNS),5)"

rivals: ## compare the final result with other ways, in 25 minutes (RUNS=1 for a first look)
	$(PREPARE) final-result
	$(SERIES) rivals "$(or $(RUNS),3)"

verdicts: ## judge every lesson by every rule, for the table on the front page
	$(PREPARE)
	$(SERIES) verdicts

doctor: ## say what is missing on this machine, each with what mends it (LESSON=…, PORT=…)
	$(PREPARE) --doctor $(NAME)

clean: ## remove the lessons' images, stand-ins for base images, and what a killed test run left
	$(IF_STARTED) clean
