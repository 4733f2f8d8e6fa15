# circle15: the commands of the house. `make` alone lists them.
# Assumed: make and python3 >= 3.11 with venv. Everything else goes into .venv, and nowhere else.

PYTHON ?= python3
VENV   := .venv
PEERS  := .venv-bench
BIN    := $(VENV)/bin
UV     ?= $(BIN)/uv
ARGS   ?=

# Settings of the caller that would let foreign packages in, or send ours elsewhere.
unexport PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help app test check bench lock lock-check clean install install-dev

help: ## List the commands · 列出命令
	@echo 'circle15 · 十五分钟服务圈'
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'
	@echo
	@echo '  PYTHON=python3.12 make app       another Python · 指定 Python'
	@echo '  make test ARGS="-k lattice"      some tests only · 只运行部分测试'

app: install ## Install, prepare the example county, open the app · 安装、生成示例县、打开应用
	@[ -f example/region.toml ] || $(BIN)/circle15 example example
	@$(BIN)/circle15 app example/region.toml

test: install-dev ## Run the tests (browser tests where Chromium is found) · 运行测试
	@$(BIN)/python -m pytest $(ARGS)

check: install-dev ## Style, types, import arrows, docstrings · 代码检查
	@failed=; \
	run() { echo "== $$1"; name=$$1; shift; "$$@" || failed="$$failed, $$name"; }; \
	run 'ruff check' $(BIN)/python -m ruff check .; \
	run 'ruff format' $(BIN)/python -m ruff format --check .; \
	run mypy $(BIN)/python -m mypy; \
	run lint-imports $(BIN)/lint-imports --no-logo; \
	run numpydoc $(BIN)/python -m numpydoc lint `find coverage geodata scenarios streamlit_app.py -name '*.py' | LC_ALL=C sort`; \
	if [ -n "$$failed" ]; then echo "make check: failed$$failed" >&2; exit 1; fi; \
	echo 'make check: all passed'

bench: install-dev ## Measure, all or ARGS=engine · 性能测量
	@$(MAKE) --no-print-directory $(PEERS)/bin/ready || echo 'make bench: without the other libraries' >&2
	@$(BIN)/python benchmarks/run.py $(ARGS)

# The other libraries that `bench` asks, beside the app's environment and never in it: that one's packages are seen from here.
$(PEERS)/bin/ready: pyproject.toml requirements-dev.lock
	@rm -rf $(PEERS); $(BIN)/python -m venv --without-pip $(PEERS)
	@$(PEERS)/bin/python -c '$(SEE)' "`$(BIN)/python -c '$(PURELIB)'`"
	@$(BIN)/python -m pip --python $(PEERS)/bin/python --disable-pip-version-check --no-input --quiet install `$(BIN)/python -c '$(GROUP)'`
	@touch $@
PURELIB = import sysconfig; print(sysconfig.get_path("purelib"))
SEE = import sys, sysconfig; open(sysconfig.get_path("purelib") + "/app.pth", "w").write(f"import site; site.addsitedir({sys.argv[1]!r})\n")
GROUP = import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["bench"])

# UPGRADE=1 moves every pin to its newest version; without it only what pyproject.toml changed is resolved anew.
# One version of each package for every Python (`fewest`): the same input gives the same bytes on 3.11 and on 3.13.
COMPILE = $(UV) --no-config --quiet pip compile pyproject.toml - --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)
BUILD_BACKEND = $(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")'

lock: ## Resolve the two lock files anew (UPGRADE=1: newest versions) · 更新锁定文件
	@[ -x "$(UV)" ] || $(MAKE) install-dev
	@$(BUILD_BACKEND) | $(COMPILE) --output-file requirements.lock >/dev/null
	@$(BUILD_BACKEND) | $(COMPILE) --group dev --constraints requirements.lock --output-file requirements-dev.lock >/dev/null
	@if grep -nE '://|^ *-[^-]|^--|^(coverage|pytest-cov)==' requirements.lock requirements-dev.lock; then \
		echo 'make lock: a lock file must name no host, no option, and neither coverage.py nor pytest-cov' >&2; exit 1; fi
	@grep -cE '^[a-z0-9]' requirements.lock requirements-dev.lock

lock-check: ## Does Windows x64 find a wheel for every pin? (dry run) · 检查 Windows 安装包
	@[ -x "$(UV)" ] || $(MAKE) install-dev
	@for v in 3.11 3.12 3.13 3.14; do echo "Windows x64, Python $$v:"; \
	$(UV) --no-config --quiet pip install --dry-run --python-platform x86_64-pc-windows-msvc --python-version $$v --only-binary :all: \
		--require-hashes -r requirements.lock --target $(VENV)/nowhere && echo '  a wheel for every pin' || exit 1; done; rm -rf $(VENV)/nowhere

clean: ## Remove .venv, .venv-bench and the tools' caches; example/ and your own files stay · 清理
	rm -rf $(VENV) $(PEERS) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

install:
	@$(call bring,installed,pyproject.toml requirements.lock,requirements.lock)

install-dev: install
	@$(call bring,installed-dev,pyproject.toml requirements.lock requirements-dev.lock,requirements-dev.lock)

# $(call bring,STAMP,FILES,LOCK): .venv holds what LOCK pins, and our packages in place. The stamp is the checksum of FILES and of
# the folder (an environment cannot be moved), written last. An install that did not finish leaves `unfinished`: begin anew.
define bring
set -e; wanted=`{ pwd -P; cat $(2); } | cksum`; \
if [ "`cat $(VENV)/$(1) 2>/dev/null`" = "$$wanted" ] && [ ! -e $(VENV)/unfinished ] && $(BIN)/python -c '' 2>/dev/null; then exit 0; fi; \
if [ -e $(VENV)/unfinished ] || [ "`cat $(VENV)/place 2>/dev/null || pwd -P`" != "`pwd -P`" ] || ! $(BIN)/python -m pip --version >/dev/null 2>&1; \
then $(make_venv); fi; \
rm -f $(VENV)/$(1); : >$(VENV)/unfinished; pwd -P >$(VENV)/place; \
echo 'Installing $(3) into $(VENV) (the first time takes a few minutes) · 正在安装，首次需要几分钟'; \
quiet=--quiet; if [ -t 1 ]; then quiet=; fi; \
pip() { $(BIN)/python -m pip --disable-pip-version-check --no-input install $$quiet "$$@"; }; \
if ! { pip --require-hashes -r $(3) && pip --no-deps --no-build-isolation -e .; }; then $(install_failed); exit 1; fi; \
echo "$$wanted" >$(VENV)/$(1); rm -f $(VENV)/unfinished
endef

define make_venv
if ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then $(no_python); exit 1; fi; \
if ! "$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null; then $(no_venv); exit 1; fi; \
base=`"$(PYTHON)" -c 'import sys; print(sys._base_executable or sys.executable)'`; \
echo "Making $(VENV) with $$base · 正在创建虚拟环境"; \
mkdir -p $(VENV); : >$(VENV)/unfinished; \
"$$base" -m venv --clear $(VENV)
endef

define no_python
{ echo 'circle15 needs Python 3.11 or newer; "$(PYTHON)" is' "`"$(PYTHON)" --version 2>&1 || true`."; \
echo 'Install one, or name it: make app PYTHON=python3.12'; \
echo '需要 Python 3.11 或更高版本。请安装，或指定：make app PYTHON=python3.12'; } >&2
endef

define no_venv
{ echo 'This Python ("$(PYTHON)") has no venv or ensurepip. On Debian and Ubuntu: sudo apt install python3-venv'; \
echo '当前 Python 缺少 venv 或 ensurepip 模块。Debian/Ubuntu 请执行：sudo apt install python3-venv'; } >&2
endef

define install_failed
{ echo 'The install did not finish; run the same command again. Behind a slow connection set PIP_INDEX_URL to a mirror near you.'; \
echo '安装未完成，请重试。网络较慢时，请把环境变量 PIP_INDEX_URL 设为单位或就近的镜像地址。'; } >&2
endef
