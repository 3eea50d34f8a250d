// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/verify/sequences.h"

#include <cstdlib>
#include <map>

namespace tealdeck::verify {
namespace {

constexpr const char* SEQUENCES_SQL = R"(
select format('%I.%I', n.nspname, c.relname), s.seqincrement, pg_sequence_last_value(s.seqrelid)
  from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
 where c.relpersistence = 'p' and n.nspname not in ('tealdeck', 'tealdeck_sync')
   and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'))";

} // namespace

Result<SequenceReport> compareSequences(Connection& source, Connection& follower) {
    // The follower first: what is handed out in between does not look like a lead.
    const Result<Rows> theirs = follower.query(SEQUENCES_SQL, {}, Millis(60000));
    const Result<Rows> mine = theirs.ok() ? source.query(SEQUENCES_SQL, {}, Millis(60000)) : theirs;
    if (!mine) {
        return mine.error();
    }
    std::map<std::string, std::optional<std::string>> there;
    for (std::size_t i = 0; i < theirs->size(); ++i) {
        there[theirs->text(i, 0)] = theirs->rows[i][2];
    }
    SequenceReport report;
    report.all = static_cast<int>(mine->size());
    for (std::size_t i = 0; i < mine->size(); ++i) {
        const std::string name = mine->text(i, 0);
        const auto other = there.find(name);
        if (other == there.end()) {
            report.missing.push_back(name);
        } else if (const auto value = mine->rows[i][2]; value) {
            const long long a = std::strtoll(value->c_str(), nullptr, 10);
            const long long b = other->second ? std::strtoll(other->second->c_str(), nullptr, 10) : 0;
            const bool rises = std::strtoll(mine->text(i, 1).c_str(), nullptr, 10) > 0;
            if (!other->second || (rises ? b < a : b > a)) {
                report.behind.push_back(name);
            }
        }
    }
    return report;
}

} // namespace tealdeck::verify
