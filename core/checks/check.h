// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/checks/check_sessions.h"
#include "core/model/snapshot.h"
#include "core/replication/names.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tealdeck {

/// When a check is asked.
enum class CheckMoment { BeforeReplication, BeforeCutover };

/// What the checks need to know beyond the plan.
struct CheckContext {
    CheckMoment moment = CheckMoment::BeforeReplication;
    Direction direction = Direction::Forward;    ///< the move that is being prepared; Forward before replication
    bool firstCutover = true;                    ///< writes were never moved yet
    double longTransactionSeconds = 5;           ///< older ones hold up slots and table copies (before replication)
    std::function<std::int64_t()> steadyUs;      ///< for evaluatedUs; empty: the machine's clock
    std::function<void(const CheckState&)> told; ///< hears each answer as it comes; may be empty
    std::function<bool()> cancelled;             ///< asked between checks; the rest is then Unknown; may be empty
    std::string only;                            ///< ask this definition alone; empty: all
};

/// Whom a check asks. Source and destination follow the direction.
enum class CheckScope { Source, Destination, EachPrimary, Pair, EachPooler, EachBalancer, EachRouter };
enum class CheckWhen { BeforeReplication, BeforeCutover, Always };

/// A statement that mends a finding, and where it is to be run.
struct FixStatement {
    std::string sql;
    std::optional<Side> side = std::nullopt; ///< std::nullopt: the side that was asked
    std::string database = {};               ///< empty: the database that was asked
};

/// What a check found.
struct CheckAnswer {
    CheckResult result = CheckResult::Unknown;
    std::string actual;
    std::vector<FixStatement> fixes = {}; ///< only of a failure

    static CheckAnswer pass(std::string actual = "as expected") { return {CheckResult::Pass, std::move(actual)}; }
    static CheckAnswer fail(std::string actual) { return {CheckResult::Fail, std::move(actual)}; }
    static CheckAnswer unknown(std::string reason) { return {CheckResult::Unknown, std::move(reason)}; }
    /// Pass when there are none; else the first ten, comma by comma, and how many more.
    static CheckAnswer findings(const std::vector<std::string>& found, std::vector<FixStatement> fixes = {});
};

/// What a check is asked about, one at a time.
struct CheckSubject {
    CheckSessions& sessions;
    const CheckContext& context;
    Side side = Side::Blue;
    std::string database;   ///< empty: the server as a whole
    std::size_t router = 0; ///< place in the plan's list of poolers or balancers, or in makeWriteRouters
    [[nodiscard]] const Plan& plan() const { return sessions.plan(); }
};

/// One question of the checklist, as data. Either `sql` (each row is a finding, no row passes) or `evaluate`.
struct CheckDefinition {
    std::string id = {};
    std::string family = {};
    Severity severity = Severity::Blocking;
    CheckScope scope = CheckScope::Source;
    CheckWhen when = CheckWhen::BeforeReplication;
    bool perDatabase = false;
    std::string question = {};
    std::string why = {};
    std::string expected = {};
    std::string fix = {};    ///< what to do, in a sentence
    std::string fixSql = {}; ///< to be pasted as it is when the check fails; placeholders as in `sql`
    std::string source = {}; ///< where the fact comes from
    /// Placeholders: {databases} their number, {slots}, {workers}, {repl_role} and {subscription} as literals, {read_roles} as a text
    /// array, {identity_full} as a boolean, {long_s}, {drain_ms}, {budget_ms}, {users} a condition on pg_namespace n.
    /// Two columns are no part of the finding: `fix` is a statement that mends it, `fix_in` the database to run that in.
    std::string sql = {};
    std::function<CheckAnswer(const CheckSubject&)> evaluate = {};
    /// Another severity for this plan; empty: the definition's.
    std::function<Severity(const Plan&)> severityFor = {};
    int minVersion = 0; ///< major of the server that is asked; the check does not exist for others
    int maxVersion = 99;
    int crossing = 0; ///< a major: the check exists only when the source is older and the destination is not; 0: always
    /// Whether the question makes sense for a plan; empty: for all.
    std::function<bool(const Plan&)> existsFor = {};
    /// False: on the way back it only warns. A rollback is the emergency exit; only what would lose writes may stand in it.
    bool blocksRollback = true;
    bool overridable = true; ///< false: nobody may take this failure on; nothing good can follow it
    int validForSeconds = 300;
};

/// Findings of a statement on a server: columns of a row joined by commas, without `fix` and `fix_in`. Unknown when it failed.
CheckAnswer findingsOf(const Result<Rows>& rows);

/// Whether a question exists for servers of these majors: `asked` is the one that it is put to.
bool existsForVersions(const CheckDefinition& check, int asked, int source, int destination);

} // namespace tealdeck
