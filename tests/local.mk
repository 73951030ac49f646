# The test runner; unit tests stand in the fragments of the folders they test.
# `make check TESTS=pty` runs only the tests whose names contain a given word.

if HAVE_CMOCKA
CMOCKA_STATE =
else
CMOCKA_STATE = --no-cmocka
endif

check-local:
	@test "$(PYTHON3)" != no || { \
		echo "the tests need python3: install it and run ./configure again"; exit 1; }
	@$(PYTHON3) $(srcdir)/tests/run --source "$(abs_top_srcdir)" \
		--build "$(abs_top_builddir)" --unit "$(check_PROGRAMS)" \
		$(CMOCKA_STATE) $(TESTS)

clean-local:
	rm -rf sanitized sanitized-threads packages

# Other releases of Debian, with newer interpreters and other C libraries; kept in ~/.cache.
.PHONY: chroots
chroots:
	@sh $(srcdir)/tests/lib/chroots.sh

# Every row of the fault matrix, again and again; goes on where the last run ended.
MINUTES = 30
ROUNDS = 10
JOBS = 2
HARM_STATE = $(abs_top_builddir)/harm/state.json
HARM_TABLE = $(abs_top_builddir)/harm/harm.md

.PHONY: check-harm
check-harm: all tests/live/attach_driver
	@HEAPTOP="$(abs_top_builddir)/heaptop" SOURCE_DIR="$(abs_top_srcdir)" \
		BUILD_DIR="$(abs_top_builddir)" PYTHONDONTWRITEBYTECODE=1 \
		$(PYTHON3) $(srcdir)/tests/harm/run --state "$(HARM_STATE)" \
		--minutes $(MINUTES) --rounds $(ROUNDS) --jobs $(JOBS) --rows="$(HARM)" \
		--table "$(HARM_TABLE)"

# Programs whose trouble is known: is the first verdict right? Resumable too.
VERDICTS_STATE = $(abs_top_builddir)/verdicts.json
VERDICTS_TABLE = $(abs_top_builddir)/verdicts.md

.PHONY: verdicts
verdicts: all
	@HEAPTOP="$(abs_top_builddir)/heaptop" PYTHONDONTWRITEBYTECODE=1 \
		$(PYTHON3) $(srcdir)/tests/verdicts/run --state "$(VERDICTS_STATE)" \
		--minutes $(MINUTES) --jobs $(VERDICTS_JOBS) --programs "$(VERDICTS)" \
		--table "$(VERDICTS_TABLE)"
VERDICTS_JOBS = 6

# Programs at rest, counted from outside and by themselves, on each interpreter. Resumable.
EXACTNESS_STATE = $(abs_top_builddir)/exactness.json

.PHONY: exactness
exactness: all
	@HEAPTOP="$(abs_top_builddir)/heaptop" PYTHONDONTWRITEBYTECODE=1 \
		$(PYTHON3) $(srcdir)/tests/exact/run --state "$(EXACTNESS_STATE)" \
		--minutes $(MINUTES) --programs "$(EXACTNESS)" --pythons "$(PYTHONS)"

# Damage of recordings: all places, all bits, all kills.
.PHONY: check-recordings
check-recordings: all
	@HEAPTOP="$(abs_top_builddir)/heaptop" HEAPTOP_LONG=1 PYTHONDONTWRITEBYTECODE=1 \
		$(PYTHON3) $(srcdir)/tests/live/t_record_damage

# Packages for Debian and of rpm's kin: built twice, looked at, installed in a new system.
.PHONY: check-package
check-package: all
	@$(PYTHON3) $(srcdir)/tests/run --source "$(abs_top_srcdir)" \
		--build "$(abs_top_builddir)" --folders package --timeout 3000 $(TESTS)

# ThreadSanitizer: a build of its own, and all tests of the screen with it.
.PHONY: check-threads
check-threads: all
	@$(PYTHON3) $(srcdir)/tests/run --source "$(abs_top_srcdir)" \
		--build "$(abs_top_builddir)" --folders threads --timeout 3000

# Measures; slow, and no part of the tests.
.PHONY: bench
bench: all tests/live/attach_driver tests/bench/bench_walk tests/bench/bench_recording
	@HEAPTOP="$(abs_top_builddir)/heaptop" SOURCE_DIR="$(abs_top_srcdir)" \
		BUILD_DIR="$(abs_top_builddir)" $(PYTHON3) $(srcdir)/tests/bench/run.py $(BENCH)

# The tests are found by their names when they run, so they are packed whole.
dist-hook:
	@cd $(srcdir) && for folder in tests demo doc plugins .ci; do \
		test ! -d $$folder || find $$folder -type f; \
	done | while read -r file; do \
		case $$file in \
		*/__pycache__/*|*.o|*/.deps/*|*/.dirstamp) continue;; \
		tests/unit/*.[ch]|tests/[!u]*|demo/*|doc/*|plugins/*|.ci/*) ;; \
		*) continue;; \
		esac; \
		mkdir -p "$(abs_distdir)/$${file%/*}" && \
			cp -p "$$file" "$(abs_distdir)/$$file" || exit 1; \
	done
abs_distdir = $(abs_top_builddir)/$(distdir)
