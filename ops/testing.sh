# Runs of `swift test` for `ops/test`, and what is said of them at the end; sourced, not run. Needs lib.sh, the folder
# `logs` and the bound `seconds_max`.
# shellcheck shell=bash

# 0, or the first that is not: 1 where tests failed or the runner crashed, 124 where it was ended.
tests_status=0
test_runs=()
# The run under way: its process, its name, and when it began.
runner=
run_name=
run_began=

# Every process below one.
descendants() {
    cat /proc/[0-9]*/status 2>/dev/null | awk -v top="$1" '
        /^Pid:/ { pid = $2 }
        /^PPid:/ { parent[pid] = $2 }
        END { for (pid in parent) for (above = parent[pid]; above > 1; above = parent[above]) if (above == top) { print pid; break } }'
}

# Ends the process with the tests and nothing else: its servers and folders end with it by themselves, and `swift test`, which
# holds the last of the output back, writes that first.
end_runner() {
    local pid
    [[ -n $runner ]] || return 0
    for pid in $(descendants "$runner"); do
        [[ $(cat "/proc/$pid/comm" 2>/dev/null) != *PackageTest* ]] || kill -KILL "$pid" 2>/dev/null || true
    done
    for _ in {1..150}; do
        alive "$runner" || break
        sleep 0.2
    done
    kill -KILL "$runner" 2>/dev/null || true
    runner=
}

# run_tests NAME AT_ONCE ARGUMENT…: one `swift test`. Its output goes to the terminal, but for the lines that say what begins.
run_tests() {
    local name=$1 at_once=$2 log=$logs/$1.log status=0 how=ended show pid
    run_name=$name run_began=$SECONDS
    shift 2
    say "testing: $name"
    : >"$log"
    swift test --skip-build --disable-xctest --parallel --experimental-maximum-parallelization-width "$at_once" "$@" >"$log" 2>&1 &
    runner=$!
    { tail -n +1 -s 0.2 -f --pid="$runner" "$log" | grep --line-buffered -v '^◇ .* started\.$'; } &
    show=$!
    while alive "$runner"; do
        if ((SECONDS - run_began >= seconds_max)); then
            how=late
            break
        fi
        sleep 0.5
    done
    if [[ $how == late ]]; then
        pid=$runner
        end_runner
        wait "$pid" 2>/dev/null || true
        status=124
    else
        wait "$runner" || status=$?
        runner=
        grep -q '^[✔✘] Test run with ' "$log" || how=crashed
        [[ $how != crashed ]] || status=1
        if grep -q '^✔ Test run with 0 tests' "$log"; then
            how=empty
            status=1
        fi
    fi
    wait "$show" 2>/dev/null || true
    if ((status && !tests_status)); then tests_status=$status; fi
    test_runs+=("$name:$how:$((SECONDS - run_began))")
    run_name=
}

# interrupt_tests STATUS: for a trap. Ends the run under way, says what is known of it, and exits.
interrupt_tests() {
    end_runner
    if [[ -n $run_name ]]; then
        test_runs+=("$run_name:interrupted:$((SECONDS - run_began))")
        summarize_tests
    fi
    exit "$1"
}

# Each failed test once, with the first of its issues, as swift test wrote them.
failures() {
    awk -v issues_max=6 -v lines_max=12 -v columns_max=600 '
        function take(text) {
            if (lines++ < lines_max) issues[name] = issues[name] "      " substr(text, 1, columns_max) "\n"
        }
        function known(given) { if (!(given in count)) { count[given] = 0; order[++names] = given } }
        /^✘ Test .* recorded an issue/ {
            name = $0; sub(/^✘ Test /, "", name); sub(/ recorded an issue.*/, "", name)
            known(name)
            text = $0; sub(/^✘ Test .* recorded an issue */, "", text)
            lines = 0
            inside = ++count[name] <= issues_max
            if (inside) take(text)
            next
        }
        /^(✘|✔|◇|➜|⚠) / {
            inside = 0
            if ($0 ~ /^✘ Test .* failed after /) {
                name = $0; sub(/^✘ Test /, "", name); sub(/ failed after .*/, "", name); sub(/ with [0-9]+ test cases?$/, "", name)
                if (name !~ /^run with [0-9]/) known(name)
            }
            next
        }
        inside { take("  " $0) }
        END {
            for (i = 1; i <= names; i++) {
                printf "  ✘ %s\n%s", order[i], issues[order[i]]
                if (count[order[i]] > issues_max) printf "      … and %d more\n", count[order[i]] - issues_max
            }
        }' "$1"
}

# Tests that began and did not end. All begin at once, and run in about that order: those that hang or crash are among the first.
unfinished() {
    awk '
        /^◇ Test .* started\.$/ && !/^◇ Test case / && !/^◇ Test run / {
            name = $0; sub(/^◇ Test /, "", name); sub(/ started\.$/, "", name)
            order[++names] = name; open[name] = 1
        }
        /^◇ Test case passing .* started\.$/ { name = $0; sub(/.* to /, "", name); sub(/ started\.$/, "", name); case_of[name] = $0 }
        /^(✘|✔|➜) Test .* (passed|failed|skipped)( after .*|\.|: .*)?$/ {
            name = $0; sub(/^[^ ]+ Test /, "", name)
            sub(/ (passed|failed) after .*/, "", name); sub(/ skipped.*/, "", name); sub(/ with [0-9]+ test cases?$/, "", name)
            delete open[name]
        }
        END {
            for (i = 1; i <= names; i++) if (order[i] in open) {
                left++
                if (left <= 12) { print "  ? " order[i]; if (order[i] in case_of) print "      " case_of[order[i]] }
            }
            if (left > 12) printf "  … and %d more that began and did not end\n", left - 12
        }' "$1"
}

# What the runs came to. Failures stand last, and of each what is needed to find it.
summarize_tests() {
    local run name how seconds log
    printf '\n'
    for run in "${test_runs[@]}"; do
        IFS=: read -r name how seconds <<<"$run"
        log=$logs/$name.log
        case $how in
        ended) printf '%s: %s (%d s in all)\n' "$name" "$(sed -n 's/^[✔✘] Test run with //p' "$log" | tail -n 1)" "$seconds" ;;
        empty) printf '%s: FAILED: no test was found\n' "$name" ;;
        late) printf '%s: FAILED: not at its end after %d s (WEIR_TEST_SECONDS), and was ended\n' "$name" "$seconds" ;;
        interrupted) printf '%s: interrupted after %d s\n' "$name" "$seconds" ;;
        crashed) printf '%s: FAILED: the process with the tests crashed after %d s: %s\n' "$name" "$seconds" \
            "$(grep -E 'unexpected signal|Fatal error|^error: ' "$log" | cut -c 1-300 | tail -n 3)" ;;
        esac
    done
    for run in "${test_runs[@]}"; do
        IFS=: read -r name how seconds <<<"$run"
        log=$logs/$name.log
        failures "$log" >"$logs/failures"
        if [[ -s $logs/failures ]]; then
            printf '\n%s, failed:\n' "$name"
            cat "$logs/failures"
        fi
        if [[ $how == late || $how == crashed || $how == interrupted ]]; then
            printf '\n%s, began and did not end (those that run come first):\n' "$name"
            unfinished "$log"
            printf '  its last lines:\n'
            tail -n 4 "$log" | cut -c 1-200 | sed 's/^/    /'
        fi
    done
}
