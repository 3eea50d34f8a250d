# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run under load was like for its clients: from the history, the load's report and the history checker's verdict.

As a program: summary.py DIR HISTORY_STATUS writes DIR/summary.json and ends with 1 unless all is well. See app/demo.
"""
import json
import math
import os
import statistics
import subprocess
import sys


def acknowledged(history):
    """(time in ns, side) of all acknowledged writes, in order of time."""
    found = []
    with open(history, encoding="utf-8") as lines:
        for line in lines:
            if '"op":"write","event":"ok"' in line:
                event = json.loads(line)
                found.append((event["t_ns"], event.get("side", "")))
    return sorted(found)


def pauses_ms(history):
    """For each change of the side that answers: from its last acknowledged write to the first one of the other side."""
    found = []
    last = None
    for time_ns, side in acknowledged(history):
        if last is not None and side != last[1]:
            found.append((time_ns - last[0]) / 1e6)
        last = (time_ns, side)
    return found


def spread(values):
    """median, p99 and max; None for what is not known."""
    ordered = sorted(values)
    if not ordered:
        return {"median": None, "p99": None, "max": None}
    p99 = ordered[min(len(ordered) - 1, math.ceil(0.99 * len(ordered)) - 1)]
    return {"median": round(statistics.median(ordered), 1), "p99": round(p99, 1), "max": round(ordered[-1], 1)}


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return None
    return (done.stdout + done.stderr).strip().split("\n")[0] or None


def versions(lab_status):
    found = {}
    for server in lab_status["servers"]:
        if server["role"] == "primary":
            found[server["side"]] = server["version"]
    found["pgbouncer"] = first_line("pgbouncer", "--version")
    found["haproxy"] = first_line("haproxy", "-v")
    return found


def read_json(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as text:
        return json.load(text)


def comparisons(folder):
    """What each comparison of both sides found; a file without a result counts as one that found nothing equal."""
    found = []
    for name in sorted(os.listdir(folder)):
        if name.startswith("compare-") and name.endswith(".json"):
            try:
                report = read_json(folder, name)
            except ValueError:
                report = {}
            found.append({"at": name[len("compare-"):-len(".json")], **{key: report.get(key) for key in ("state", "mode", "tables", "equal", "different", "undecided", "rows", "complete", "error")}})
    return found


def all_equal(compared):
    return len(compared) == 2 and all(c["state"] == "done" and c["complete"] and c["tables"] and c["equal"] == c["tables"] for c in compared)


def summary_of(folder):
    load = read_json(folder, "load.json")
    verdict = read_json(folder, "history-check.json")
    switches = [s for s in read_json(folder, "status.json")["switches"] if s["ok"]]
    pictures = os.path.join(folder, "pictures")
    compared = comparisons(folder)
    return {
        "switches": len(switches),
        "directions": [s["direction"] for s in switches],
        "acknowledged": verdict["acknowledged"],
        "lost": verdict["lost"],
        "duplicated": verdict["duplicated"],
        "client_errors": load["error_count"],
        "errors": load["errors"],
        "write_pause_ms": spread(pauses_ms(os.path.join(folder, "history.jsonl"))),
        "engine_pause_ms": spread([s["pause_ms"] for s in switches]),
        "write_latency_ms": load["write_latency_ms"],
        "reads": load["reads"],
        "compared_tables": sum(c["tables"] or 0 for c in compared),
        "different_tables": sum(c["different"] or 0 for c in compared),
        "comparisons": compared,
        "history": {key: verdict[key] for key in ("ok", "wrong_side", "sequence_errors", "failed_present", "unknown", "findings")},
        "pictures": sorted(os.path.join(pictures, name) for name in os.listdir(pictures)),
        "recording": os.path.join(folder, "lab.teal"),
        "versions": versions(read_json(folder, "lab-status.json")),
    }


def print_summary(s):
    felt, engine = s["write_pause_ms"], s["engine_pause_ms"]
    print(f"\nPostgreSQL {s['versions'].get('blue')} → {s['versions'].get('green')}: {s['switches']} switches under load ({', '.join(s['directions'])})")
    print(f"  write pause as clients felt it: median {felt['median']} ms, longest {felt['max']} ms (the engine's own part: median {engine['median']} ms)")
    print(f"  acknowledged writes {s['acknowledged']}: lost {s['lost']}, doubled {s['duplicated']}; errors seen by clients: {s['client_errors']}")
    for code, count in s["errors"].items():
        print(f"    {code}: {count} times")
    for finding in s["history"]["findings"]:
        print(f"    {finding}")
    for c in s["comparisons"]:
        print(f"  {c['at']}: {c['equal']} of {c['tables']} tables equal, {c['different']} different, {c['undecided']} undecided ({c['rows']} rows, {c['mode']}) {c['error'] or ''}")
    print(f"  recording {s['recording']}")
    print(f"  {len(s['pictures'])} pictures in {os.path.dirname(s['pictures'][0]) if s['pictures'] else 'no folder'}")


def main(folder, history_status):
    summary = summary_of(folder)
    file = os.path.join(folder, "summary.json")
    with open(file, "w", encoding="utf-8") as out:
        json.dump(summary, out, indent=2, ensure_ascii=False)
        out.write("\n")
    print_summary(summary)
    print(f"  summary {file}")
    fine = history_status == 0 and summary["history"]["ok"] and summary["switches"] == 3 and summary["pictures"]
    clean = summary["lost"] == summary["duplicated"] == summary["client_errors"] == 0
    return 0 if fine and clean and all_equal(summary["comparisons"]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
