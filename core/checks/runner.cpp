// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/runner.h"

#include "core/checks/catalogue.h"
#include "core/checks/fix_text.h"
#include "core/postgres/sql.h"
#include "core/util/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr std::size_t SHOWN_FINDINGS = 10;

std::string literals(const std::vector<std::string>& texts) {
    std::string list;
    for (const std::string& text : texts) {
        list += (list.empty() ? "" : ", ") + quoteLiteral(text);
    }
    return "array[" + list + "]::text[]";
}

void replaceAll(std::string& text, const std::string& what, const std::string& with) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
        text.replace(at, what.size(), with);
    }
}

bool applies(const CheckDefinition& check, const CheckContext& context, const Plan& plan) {
    const bool itsTime = check.when == CheckWhen::Always ||
                         (check.when == CheckWhen::BeforeReplication) == (context.moment == CheckMoment::BeforeReplication);
    return itsTime && (context.only.empty() || context.only == check.id) && (!check.existsFor || check.existsFor(plan));
}

/// One run: makes the lines, in the order of the catalogue.
class Run {
  public:
    Run(const Connector& connector, const CheckContext& context) : m_sessions(connector), m_context(context) {}

    std::vector<CheckState> all() {
        for (const CheckDefinition& check : checkCatalogue()) {
            if (applies(check, m_context, m_sessions.plan()) && existsOn(check, sourceOf(m_context.direction), true)) {
                ask(check);
            }
        }
        return std::move(m_lines);
    }

  private:
    /// False when the versions make the question void. A server that can't be asked leaves it standing: it is then unknown.
    bool existsOn(const CheckDefinition& check, Side asked, bool onlyCrossing) {
        if (check.crossing == 0 && (onlyCrossing || (check.minVersion == 0 && check.maxVersion == 99))) {
            return true;
        }
        const Side from = sourceOf(m_context.direction);
        const Result<int> source = m_sessions.majorVersion(from);
        const Result<int> destination = m_sessions.majorVersion(otherSide(from));
        if (onlyCrossing) {
            const bool outside = (source && *source >= check.crossing) || (destination && *destination < check.crossing);
            return !outside;
        }
        const Result<int>& major = asked == from ? source : destination;
        return !major || existsForVersions(check, *major, source ? *source : 0, destination ? *destination : check.crossing);
    }

    void ask(const CheckDefinition& check) {
        switch (check.scope) {
        case CheckScope::Source:
            return askServer(check, sourceOf(m_context.direction));
        case CheckScope::Destination:
            return askServer(check, destinationOf(m_context.direction));
        case CheckScope::EachPrimary:
            askServer(check, Side::Blue);
            return askServer(check, Side::Green);
        case CheckScope::Pair:
            return askPair(check);
        case CheckScope::EachPooler:
            for (std::size_t i = 0; i < m_sessions.plan().pgbouncers.size(); ++i) {
                answer(check, {m_sessions, m_context, sourceOf(m_context.direction), "", i},
                       check.id + "/" + m_sessions.plan().pgbouncers[i].name);
            }
            return;
        case CheckScope::EachBalancer:
            for (std::size_t i = 0; i < m_sessions.plan().haproxies.size(); ++i) {
                answer(check, {m_sessions, m_context, sourceOf(m_context.direction), "", i},
                       check.id + "/" + m_sessions.plan().haproxies[i].name);
            }
            return;
        case CheckScope::EachRouter:
            for (std::size_t i = 0; i < m_sessions.routers().size(); ++i) {
                answer(check, {m_sessions, m_context, sourceOf(m_context.direction), "", i},
                       check.id + "/" + m_sessions.routers()[i]->name());
            }
            return;
        }
    }

    void askServer(const CheckDefinition& check, Side side) {
        const std::string id = fmt::format("{}/{}", check.id, sideName(side));
        if (!existsOn(check, side, false)) {
            return;
        }
        if (!check.perDatabase) {
            return answer(check, {m_sessions, m_context, side, "", 0}, id);
        }
        for (const std::string& database : m_sessions.plan().databases) {
            const Result<bool> exists = m_sessions.exists(side, database);
            const bool notYet = exists && !*exists && m_context.moment == CheckMoment::BeforeReplication && side == Side::Green;
            if (!notYet) { // green gets its databases with the replication
                answer(check, {m_sessions, m_context, side, database, 0}, id + "/" + database);
            }
        }
    }

    void askPair(const CheckDefinition& check) {
        if (!check.perDatabase) {
            return answer(check, {m_sessions, m_context, sourceOf(m_context.direction), "", 0}, check.id);
        }
        for (const std::string& database : m_sessions.plan().databases) {
            answer(check, {m_sessions, m_context, sourceOf(m_context.direction), database, 0}, check.id + "/" + database);
        }
    }

    void answer(const CheckDefinition& check, const CheckSubject& subject, const std::string& id) {
        CheckAnswer found;
        if (m_context.cancelled && m_context.cancelled()) {
            found = CheckAnswer::unknown("The checks were stopped before this one.");
        } else {
            found = check.evaluate
                        ? check.evaluate(subject)
                        : findingsOf(m_sessions.query(subject.side, subject.database, checkSql(check, subject.plan(), m_context)));
        }
        CheckState line;
        line.id = id;
        line.family = check.family;
        line.severity = check.severityFor ? check.severityFor(subject.plan()) : check.severity;
        if (line.severity == Severity::Blocking && !check.blocksRollback && m_context.direction == Direction::Reverse) {
            line.severity = Severity::Warning;
        }
        line.question = check.question;
        line.why = check.why;
        line.expected = check.expected;
        line.actual = found.actual;
        line.fix = fixFor(check, subject, found);
        line.source = check.source;
        line.result = found.result;
        line.evaluatedUs = m_context.steadyUs ? m_context.steadyUs() : Clock::system().steadyUs();
        line.validForUs = std::int64_t{1000000} * check.validForSeconds;
        if (m_context.told) {
            m_context.told(line);
        }
        m_lines.push_back(std::move(line));
    }

    /// The side that follows is read-only by default, for the one who pastes as well.
    void openDestination(std::vector<FixStatement>& statements, const CheckSubject& subject) const {
        const std::vector<std::string>& databases = subject.plan().databases;
        for (std::size_t i = 0; i < statements.size(); ++i) {
            const std::string& database = statements[i].database.empty() ? subject.database : statements[i].database;
            const bool follows = statements[i].side.value_or(subject.side) == destinationOf(m_context.direction);
            if (follows && std::find(databases.begin(), databases.end(), database) != databases.end()) {
                const FixStatement open{"SET default_transaction_read_only = off;", statements[i].side, statements[i].database};
                statements.insert(statements.begin() + static_cast<std::ptrdiff_t>(i++), open);
            }
        }
    }

    std::string fixFor(const CheckDefinition& check, const CheckSubject& subject, const CheckAnswer& found) {
        if (found.result != CheckResult::Fail) {
            return check.fix;
        }
        std::vector<FixStatement> statements = found.fixes;
        if (!check.fixSql.empty()) {
            statements.push_back({fillPlaceholders(check.fixSql, subject.plan(), m_context)});
        }
        if (m_context.moment == CheckMoment::BeforeCutover) {
            openDestination(statements, subject);
        }
        const std::string& database = subject.database.empty() ? subject.plan().side(subject.side).primary.database : subject.database;
        return composeFix(check.fix, statements, subject.side, database);
    }

    CheckSessions m_sessions;
    const CheckContext& m_context;
    std::vector<CheckState> m_lines;
};

} // namespace

bool existsForVersions(const CheckDefinition& check, int asked, int source, int destination) {
    const bool crosses = check.crossing == 0 || (source < check.crossing && destination >= check.crossing);
    return crosses && asked >= check.minVersion && asked <= check.maxVersion;
}

CheckAnswer CheckAnswer::findings(const std::vector<std::string>& found, std::vector<FixStatement> fixes) {
    if (found.empty()) {
        return pass();
    }
    std::string text;
    for (std::size_t i = 0; i < std::min(found.size(), SHOWN_FINDINGS); ++i) {
        text += (i == 0 ? "" : "; ") + plainText(found[i], 200);
    }
    if (found.size() > SHOWN_FINDINGS) {
        text += fmt::format("; and {} more", found.size() - SHOWN_FINDINGS);
    }
    return {CheckResult::Fail, std::move(text), std::move(fixes)};
}

CheckAnswer findingsOf(const Result<Rows>& rows) {
    if (!rows) {
        return CheckAnswer::unknown(plainText(rows.error().text()));
    }
    std::vector<std::string> found;
    std::vector<FixStatement> fixes;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        std::string line;
        FixStatement fix;
        for (std::size_t c = 0; c < rows->columns.size(); ++c) {
            const std::string value = rows->text(i, c);
            if (rows->columns[c] == "fix") {
                fix.sql = value;
            } else if (rows->columns[c] == "fix_in") {
                fix.database = value;
            } else {
                line += (line.empty() || value.empty() ? "" : ", ") + value;
            }
        }
        found.push_back(line);
        if (!fix.sql.empty()) {
            fixes.push_back(std::move(fix));
        }
    }
    return CheckAnswer::findings(found, std::move(fixes));
}

std::string checkSql(const CheckDefinition& definition, const Plan& plan, const CheckContext& context) {
    return fillPlaceholders(definition.sql, plan, context);
}

std::string fillPlaceholders(std::string sql, const Plan& plan, const CheckContext& context) {
    const auto databases = plan.databases.size();
    // A subscription holds one slot and one sender for itself and up to two for copying tables (max_sync_workers_per_subscription = 2).
    replaceAll(sql, "{slots}", std::to_string(context.moment == CheckMoment::BeforeReplication ? databases * 3 : databases));
    replaceAll(sql, "{workers}", std::to_string(databases * 2));
    replaceAll(sql, "{databases}", std::to_string(databases));
    replaceAll(sql, "{repl_role}", quoteLiteral(plan.replication.user));
    replaceAll(sql, "{repl_name}", quoteIdentifier(plan.replication.user));
    replaceAll(sql, "{subscription}", quoteLiteral(subscriptionName(plan, context.direction)));
    replaceAll(sql, "{read_roles}", literals(plan.readRoles));
    replaceAll(sql, "{identity_full}", plan.replication.identityFull ? "true" : "false");
    replaceAll(sql, "{long_s}", fmt::format("{}", context.longTransactionSeconds));
    replaceAll(sql, "{drain_ms}", std::to_string(plan.cutover.drain.count()));
    replaceAll(sql, "{budget_ms}", std::to_string(plan.cutover.budget.count()));
    replaceAll(
        sql, "{no_key}",
        R"(((c.relreplident = 'd' and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and i.indimmediate and i.indisvalid))
        or c.relreplident = 'n' or (c.relreplident = 'i' and not exists (select from pg_index i where i.indrelid = c.oid and i.indisreplident and i.indisvalid and i.indimmediate))))");
    // A unique index that may identify rows: immediate, whole, of columns that are neither null nor generated.
    replaceAll(sql, "{key_index}", R"((select quote_ident(x.relname) from pg_index i join pg_class x on x.oid = i.indexrelid
        where i.indrelid = c.oid and i.indisunique and i.indimmediate and i.indisvalid and i.indpred is null and i.indexprs is null
        and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attnum = any(i.indkey::int2[]) and (not a.attnotnull or a.attgenerated <> '')) order by i.indisprimary desc, i.indnatts limit 1))");
    replaceAll(sql, "{not_extension}",
               "not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')");
    replaceAll(sql, "{users}", "n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'tealdeck', 'tealdeck_sync')");
    return sql;
}

Millis restBetweenRounds(const std::vector<CheckState>& answers, Millis round, Millis longest) {
    constexpr Millis SPARE{2000}; // rounds differ, and telling takes time too
    Millis shortest = Millis::max();
    for (const CheckState& check : answers) {
        if (check.severity == Severity::Blocking && check.validForUs > 0) {
            shortest = std::min(shortest, Millis(check.validForUs / 1000));
        }
    }
    if (shortest == Millis::max()) {
        return longest;
    }
    // Answers count as old as the begin of their round: this round, the rest and the next round have to fit.
    return std::clamp(shortest - 2 * round - SPARE, std::min(Millis(1000), longest), longest);
}

std::vector<CheckState> runChecks(const Connector& connector, const CheckContext& context) {
    return Run(connector, context).all();
}

} // namespace tealdeck
