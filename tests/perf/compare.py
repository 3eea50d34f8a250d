# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison of both sides against what a script would do: an md5 of every row on each side, joined in the order of the key."""
import json
import time

ROWS = 2_000_000
SCHEMA = f"""
create table public.measured(id bigint primary key, account int not null, amount numeric(12,2) not null, state text not null, note text, at timestamptz not null, token uuid not null, live boolean not null);
insert into public.measured select g, g % 1000, (g % 100000) / 100.0, 'state ' || g % 7, 'a note of some length about order number ' || g, timestamptz '2024-01-01Z' + g * interval '1 second', md5(g::text)::uuid, g % 3 = 0
  from generate_series(1, {ROWS}) g;
"""
MD5 = "select count(*), md5(string_agg(md5(t::text), '' order by id)) from public.measured t"


def timed(work):
    begin = time.monotonic()
    answer = work()
    return time.monotonic() - begin, answer


def measure(lab, run):
    """Seconds of ours, of the script on both sides, and of the second look after 0.1 % of the rows were changed on the follower."""
    lab.psql("blue", "shop", "-c", SCHEMA)
    run(lab.tealctl, "run", lab.plan, "--until", "validate", "--json")
    for side in ("blue", "green"):
        lab.psql(side, "shop", "-c", "set default_transaction_read_only = off", "-c", "vacuum analyze public.measured")
    verify = [lab.tealctl, "verify", lab.plan, "--database", "shop", "--table", "public.measured", "--afresh", "--json"]
    json.loads(run(*verify))  # the first one fills the caches
    ours, theirs = [], []
    for _ in range(3):
        report = json.loads(run(*verify))
        if report["equal"] != 1 or report["rows"] != ROWS:
            raise RuntimeError(f"the comparison did not find {ROWS} equal rows: {report}")
        ours.append((report["ended_us"] - report["started_us"]) / 1e6)
        seconds, sums = timed(lambda: [lab.psql(side, "shop", "-c", MD5) for side in ("blue", "green")])
        if sums[0] != sums[1]:
            raise RuntimeError("the script found a difference")
        theirs.append(seconds)
    return ours, theirs
