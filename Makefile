# The only commands a person needs. Each installs what it lacks, or says what to install.

# rustup's programs, when it was installed after this shell began, and Debian's for the system.
export PATH := $(PATH):$(HOME)/.cargo/bin:/usr/sbin:/sbin
RELEASE = $(or $(CARGO_TARGET_DIR),target)/release/tickmark

.PHONY: run test check bench bench-ui soak fuzz audit demo dev package pictures help

run: ## the panel, with its database in tickmark.db; further flags: make run ARGS="--listen 127.0.0.1:8889"
	@.ci/need.sh build client
	@.ci/build.sh
	@exec $(RELEASE) $(ARGS)

dev: ## the panel while it is worked on: built and started again after each change
	@.ci/need.sh build client
	@exec .ci/dev.sh $(ARGS)

demo: ## the panel beside a Kamailio under traffic, ten statistics ticked
	@.ci/need.sh build client kamailio
	@.ci/build.sh
	@exec .ci/demo.sh $(RELEASE)

test: ## every test: Rust, on SQLite and on PostgreSQL, and Chromium against a real Kamailio, with pictures in target/pictures
	@.ci/need.sh build client kamailio postgres mariadb prometheus browser python
	@.ci/test.sh

check: ## format, lints, documentation, licences, unused dependencies
	@.ci/need.sh build client checks
	@.ci/check.sh

bench: ## the figures, measured here: half an hour; PARTS="chart poll" for some of them
	@.ci/need.sh build client prometheus postgres
	@.ci/bench.sh $(PARTS)

bench-ui: ## what the pages promise, in Chromium and beside uPlot: some minutes; PARTS="paint redraw" for some of them
	@.ci/need.sh build client browser
	@.ci/build.sh
	@TICKMARK_BIN=$(abspath $(RELEASE)) npm --prefix server/tests/e2e --silent run bench -- $(PARTS)

soak: ## kills in every phase, by the hundred, and power losses: half an hour; KILLS=1000 for longer
	@.ci/need.sh build client postgres
	@.ci/soak.sh

fuzz: ## the parsers, hurt for a minute each; TARGETS="xml_rpc" SECONDS_EACH=600
	@.ci/need.sh build client
	@.ci/fuzz.sh

audit: ## known holes in dependencies; fetches the list of them
	@.ci/need.sh checks
	@cargo deny --log-level error check advisories

package: ## what a release hands on, in target/package: binary, Debian package, completions, manual pages
	@.ci/need.sh build client
	@.ci/build.sh
	@.ci/package.sh

pictures: ## the pictures of the README, drawn anew
	@.ci/need.sh build client kamailio browser
	@.ci/build.sh
	@TICKMARK_BIN=$(abspath $(RELEASE)) npm --prefix server/tests/e2e --silent run pictures

help: ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /    make \1\t/p' Makefile | expand -t 20
