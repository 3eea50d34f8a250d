// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/verify/verifier.h"

#include "core/util/files.h"
#include "core/verify/moment.h"
#include "core/verify/pace.h"
#include "core/verify/progress_log.h"
#include "core/verify/sequences.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <fmt/format.h>
#include <mutex>
#include <poll.h>
#include <thread>

namespace tealdeck::verify {
namespace {

std::filesystem::path progressFile(const Plan& plan) {
    return plan.engineFolder / "verify-progress.jsonl";
}

constexpr Millis FEED_LIMIT{60000};
constexpr double TABLE_WEIGHT = 65536; ///< bytes' worth of work that every table costs, however small
constexpr std::size_t MOST_DESCRIBED = 2000;
constexpr int TRIES = 3; ///< of a table whose connection is lost

struct Work {
    std::string database;
    std::vector<TablePair> pairs; ///< the largest first
    bool all = true;              ///< every table of the database
};

class Run {
  public:
    Run(const Connector& connector, const Request& request, const Watcher& watcher)
        : m_connector(connector), m_plan(connector.plan()), m_request(request), m_watcher(watcher), m_pace(m_plan.verify.rowsPerSecond),
          m_log(progressFile(m_plan), scope(), Clock::system().wallUs(), m_plan.verify.validHours, request.afresh) {}

    Result<ComparisonState> run();

  private:
    [[nodiscard]] std::string scope() const;
    Status read();
    Status readDatabase(const std::string& database);
    void compareDatabase(const Work& work);
    void serve(SessionPair& sessions, FeedPass& feed, const Work& work);
    void compareTable(SessionPair& sessions, FeedPass& feed, const std::string& database, const TablePair& pair);
    Result<TableOutcome> look(SessionPair& sessions, FeedPass& feed, const std::string& database, const TablePair& pair,
                              TableComparison& result);
    Result<TableOutcome> tryToLook(SessionPair& sessions, FeedPass& feed, const std::string& database, const TablePair& pair,
                                   TableComparison& result);
    Result<TableOutcome> lookAgainExactly(SessionPair& sessions, FeedPass& feed, const TablePair& pair, TableComparison& result);
    CompareOptions optionsFor(FeedPass& feed, bool exact);
    void finish(TableComparison result, const TableOutcome& outcome, double weight);
    void describe(const TableComparison& table, const TableOutcome& outcome);
    void tell(bool atOnce);
    [[nodiscard]] bool cancelled() const { return m_watcher.cancelled && m_watcher.cancelled(); }

    const Connector& m_connector;
    const Plan& m_plan;
    const Request& m_request;
    const Watcher& m_watcher;
    Pace m_pace;
    ProgressLog m_log;
    std::vector<Work> m_work;
    std::mutex m_mutex; ///< guards all below
    ComparisonState m_state;
    Json m_described = Json::array();
    double m_weight = 0;
    double m_done = 0;
    std::size_t m_next = 0; ///< table of the database under way
    std::string m_now;
    std::int64_t m_toldUs = 0;
};

double weightOf(const TablePair& pair) {
    return pair.source.bytes + TABLE_WEIGHT;
}

std::string Run::scope() const {
    Json json = {{"exact", m_request.exact},
                 {"source", sideName(m_request.source)},
                 {"databases", m_request.databases},
                 {"tables", m_request.tables},
                 {"plan", m_plan.sha256}};
    return sha256Hex(dumpJson(json));
}

Status Run::readDatabase(const std::string& database) {
    SessionPair sessions(m_connector, m_request.source, database);
    if (const Status opened = sessions.open(); !opened) {
        return opened;
    }
    const auto mine = readTables(sessions.source());
    const auto theirs = readTables(sessions.follower());
    if (!mine || !theirs) {
        return (mine ? theirs : mine).error();
    }
    const bool modern = sessions.source().serverVersion() >= 140000 && sessions.follower().serverVersion() >= 140000;
    Work work{database, {}, true};
    for (TablePair& pair : pairTables(*mine, *theirs, modern ? Method::RecordHash : Method::TextHash)) {
        if (m_request.tables.empty() || isNamed(pair.source.name, m_request.tables)) {
            m_weight += weightOf(pair);
            work.pairs.push_back(std::move(pair));
        } else {
            work.all = false;
        }
    }
    std::stable_sort(work.pairs.begin(), work.pairs.end(),
                     [](const TablePair& a, const TablePair& b) { return a.source.bytes > b.source.bytes; });
    m_state.tables += static_cast<int>(work.pairs.size());
    m_state.complete = m_state.complete && work.all;
    m_work.push_back(std::move(work));
    const Result<SequenceReport> sequences = compareSequences(sessions.source(), sessions.follower());
    if (!sequences) {
        return sequences.error();
    }
    m_state.sequences += sequences->all;
    m_state.sequencesBehind += static_cast<int>(sequences->behind.size());
    m_state.sequencesMissing += static_cast<int>(sequences->missing.size());
    if (m_state.lsn.empty()) {
        const auto lsn = sessions.source().query("select pg_current_wal_insert_lsn()");
        m_state.lsn = lsn.ok() ? lsn->text(0, 0) : "";
    }
    return {};
}

Status Run::read() {
    m_state.id = randomHex(8);
    m_state.state = "running";
    m_state.mode = m_request.exact ? "exact" : "convergent";
    m_state.source = sideName(m_request.source);
    m_state.complete = m_request.databases.empty();
    m_state.startedUs = m_watcher.steadyUs();
    m_state.startedWallUs = Clock::system().wallUs();
    if (m_request.exact && m_request.snapshots.empty() && m_plan.verify.lock.count() == 0) {
        return Error{Error::Kind::Refused,
                     "The plan does not allow an exact comparison now: it would hold up the writers of each table for a moment.",
                     "Set lock_ms in [verify], or compare without --exact.",
                     {}};
    }
    const std::vector<std::string>& databases = m_request.databases.empty() ? m_plan.databases : m_request.databases;
    for (const std::string& database : databases) {
        if (std::find(m_plan.databases.begin(), m_plan.databases.end(), database) == m_plan.databases.end()) {
            return Error{
                Error::Kind::Invalid, fmt::format("The plan has no database \"{}\".", database), "Name one of the plan's databases.", {}};
        }
        if (const Status known = readDatabase(database); !known) {
            return known;
        }
    }
    if (m_state.tables == 0) {
        return Error{Error::Kind::Invalid, "There is no such table to compare.", "Write schema.table, as the server spells it.", {}};
    }
    return {};
}

Result<ComparisonState> Run::run() {
    if (const Status known = read(); !known) {
        return known.error();
    }
    m_state.detail = m_log.resumed() ? "goes on from a comparison that was cut short" : "";
    tell(true);
    for (const Work& work : m_work) {
        if (!cancelled()) {
            compareDatabase(work);
        }
    }
    m_state.state = cancelled() ? "cancelled" : "done";
    m_state.endedUs = m_watcher.steadyUs();
    m_state.endedWallUs = Clock::system().wallUs();
    // What could not be told is as unknown as what was not asked.
    m_state.undecided = m_state.tables - m_state.equal - m_state.different;
    if (m_state.state == "done") {
        m_log.end();
    }
    const Status kept = writeFileAtomically(differencesFile(m_plan), dumpJson({{"id", m_state.id}, {"differences", m_described}}));
    if (!kept) {
        m_state.detail = kept.error().text();
    }
    tell(true);
    return m_state;
}

void Run::compareDatabase(const Work& work) {
    FeedPass feed(m_connector, m_request.source, work.database);
    const std::size_t count = std::min(static_cast<std::size_t>(m_plan.verify.connections), work.pairs.size());
    std::deque<SessionPair> sessions;
    std::atomic<std::size_t> running{count};
    m_next = 0;
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i) {
        SessionPair& mine = sessions.emplace_back(m_connector, m_request.source, work.database);
        threads.emplace_back([&, this] {
            serve(mine, feed, work);
            --running;
        });
    }
    while (running > 0) {
        if (cancelled()) {
            for (SessionPair& pair : sessions) {
                pair.cancel();
            }
        }
        tell(false);
        ::poll(nullptr, 0, 50);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}

void Run::serve(SessionPair& sessions, FeedPass& feed, const Work& work) {
    while (!cancelled()) {
        const TablePair* pair = nullptr;
        {
            const std::lock_guard lock(m_mutex);
            if (m_next >= work.pairs.size()) {
                return;
            }
            pair = &work.pairs[m_next++];
            m_now = work.database + " " + pair->source.name;
        }
        compareTable(sessions, feed, work.database, *pair);
    }
}

CompareOptions Run::optionsFor(FeedPass& feed, bool exact) {
    CompareOptions options;
    options.chunkRows = m_plan.verify.chunkRows;
    options.exact = exact;
    options.values = m_request.values;
    options.pass = [&feed] { return feed.pass(FEED_LIMIT); };
    options.cancelled = [this] { return cancelled(); };
    options.pace = [this](std::int64_t rows) { m_pace.spend(rows, [this] { return cancelled(); }); };
    return options;
}

Result<TableOutcome> Run::lookAgainExactly(SessionPair& sessions, FeedPass& feed, const TablePair& pair, TableComparison& result) {
    const Result<std::string> lsn = sessions.lockedMoment(pair.source.name, feed, [this] { return cancelled(); });
    if (!lsn) {
        return lsn.error();
    }
    result.mode = "exact";
    result.lsn = *lsn;
    Result<TableOutcome> outcome = TableComparer(sessions.source(), sessions.follower(), pair, optionsFor(feed, true)).run();
    sessions.leaveMoment();
    return outcome;
}

Result<TableOutcome> Run::look(SessionPair& sessions, FeedPass& feed, const std::string& database, const TablePair& pair,
                               TableComparison& result) {
    result.mode = m_request.exact ? "exact" : "convergent";
    if (const Status opened = sessions.open(); !opened) {
        return opened.error();
    }
    if (const auto given = m_request.snapshots.find(database); m_request.exact && given != m_request.snapshots.end()) {
        result.lsn = given->second.lsn;
        const Status seen = sessions.importMoment(given->second);
        Result<TableOutcome> outcome = seen.ok() ? TableComparer(sessions.source(), sessions.follower(), pair, optionsFor(feed, true)).run()
                                                 : Result<TableOutcome>(seen.error());
        sessions.leaveMoment();
        return outcome;
    }
    if (m_request.exact) {
        return lookAgainExactly(sessions, feed, pair, result);
    }
    CompareOptions options = optionsFor(feed, false);
    if (const auto begun = m_log.beginning(database, pair.source.name); begun && begun->upTo.size() == pair.key.size()) {
        options.resumeAbove = begun->upTo;
        options.resumeRows = begun->rows;
        result.detail = fmt::format("the first {} rows were compared by an earlier run", begun->rows);
    }
    options.told = [this, &sessions, &database, &pair](const Key& upTo, std::int64_t rows) {
        const auto lsn = sessions.source().query("select pg_current_wal_insert_lsn()");
        m_log.chunkDone(database, pair.source.name, {upTo, rows}, lsn.ok() ? lsn->text(0, 0) : "", Clock::system().wallUs());
    };
    Result<TableOutcome> outcome = TableComparer(sessions.source(), sessions.follower(), pair, options).run();
    // What never stands still is looked at in a moment without writers, where the plan allows one.
    if (outcome.ok() && outcome->unsettled > 0 && outcome->differences == 0 && m_plan.verify.lock.count() > 0) {
        result.detail.clear();
        return lookAgainExactly(sessions, feed, pair, result);
    }
    const auto lsn = outcome.ok() ? sessions.source().query("select pg_current_wal_insert_lsn()") : Result<Rows>(Error{});
    result.lsn = lsn.ok() ? lsn->text(0, 0) : "";
    return outcome;
}

/// Again when a connection is lost.
Result<TableOutcome> Run::tryToLook(SessionPair& sessions, FeedPass& feed, const std::string& database, const TablePair& pair,
                                    TableComparison& result) {
    for (int attempt = 1;; ++attempt) {
        Result<TableOutcome> outcome = TableOutcome{};
        try {
            outcome = look(sessions, feed, database, pair, result);
        } catch (const std::exception& failure) { // a key that is no valid text can't be quoted
            outcome = Error{Error::Kind::Internal, failure.what(), {}, {}};
        }
        if (outcome.ok() || outcome.error().kind != Error::Kind::Unavailable || attempt == TRIES || cancelled()) {
            return outcome;
        }
        ::poll(nullptr, 0, 500 * attempt);
    }
}

void Run::compareTable(SessionPair& sessions, FeedPass& feed, const std::string& database, const TablePair& pair) {
    TableComparison result;
    result.database = database;
    result.table = pair.source.name;
    if (pair.missing || pair.onlyThere) {
        result.result = "different";
        result.detail = pair.missing ? "the table is missing on the follower" : "the table is only on the follower";
        return finish(std::move(result), {}, weightOf(pair));
    }
    if (!pair.problem.empty()) {
        result.detail = pair.problem;
        return finish(std::move(result), {}, weightOf(pair));
    }
    if (const auto before = m_log.finished(database, pair.source.name)) {
        result = *before;
        result.detail = "compared by an earlier run";
        return finish(std::move(result), {}, weightOf(pair));
    }
    result.method = methodName(pair.method);
    const Result<TableOutcome> outcome = tryToLook(sessions, feed, database, pair, result);
    if (!outcome && cancelled()) {
        return; // not looked at to the end: it stays undecided, and its beginning is kept
    }
    if (!outcome) {
        result.detail = outcome.error().text();
        return finish(std::move(result), {}, weightOf(pair));
    }
    result.rows = outcome->rows;
    result.differences = outcome->differences;
    result.result = outcome->differences > 0 ? "different" : outcome->unsettled > 0 ? "undecided" : "equal";
    if (result.result == "undecided") {
        result.detail =
            fmt::format("{} places never stood still for long enough; allow a short lock with lock_ms in [verify]", outcome->unsettled);
    }
    if (!pair.note.empty()) {
        result.detail += (result.detail.empty() ? "" : "; ") + pair.note;
    }
    finish(std::move(result), *outcome, weightOf(pair));
}

void Run::finish(TableComparison result, const TableOutcome& outcome, double weight) {
    if (result.atUs == 0) {
        result.atUs = m_watcher.steadyUs();
        result.wallUs = Clock::system().wallUs();
        m_log.tableDone(result);
    }
    const std::lock_guard lock(m_mutex);
    describe(result, outcome);
    (result.result == "equal" ? m_state.equal : result.result == "different" ? m_state.different : m_state.undecided) += 1;
    m_state.rows += result.rows;
    m_state.differences += result.differences;
    m_state.mode = m_state.mode.find(result.mode) != std::string::npos || result.mode.empty() ? m_state.mode : "both";
    m_done += weight;
    if (m_watcher.table) {
        m_watcher.table(result);
    }
}

void Run::describe(const TableComparison& table, const TableOutcome& outcome) {
    for (const RowDifference& difference : outcome.shown) {
        if (m_described.size() < MOST_DESCRIBED) {
            m_described.push_back(toJson(difference));
            m_described.back()["database"] = table.database;
            m_described.back()["table"] = table.table;
        }
    }
}

void Run::tell(bool atOnce) {
    std::unique_lock lock(m_mutex);
    const std::int64_t now = m_watcher.steadyUs();
    if (!atOnce && now - m_toldUs < 500'000) {
        return;
    }
    m_toldUs = now;
    const ComparisonState state = m_state;
    const std::string where = m_now;
    const double share = m_weight > 0 ? std::min(1.0, m_done / m_weight) : -1;
    lock.unlock();
    if (m_watcher.summary) {
        m_watcher.summary(state);
    }
    if (m_watcher.progress && !atOnce) {
        m_watcher.progress(fmt::format("{} ({} of {} tables)", where, state.equal + state.different + state.undecided, state.tables),
                           share);
    }
}

} // namespace

void forgetProgress(const Plan& plan) {
    std::error_code none; // there may be no file
    std::filesystem::remove(progressFile(plan), none);
}

std::filesystem::path differencesFile(const Plan& plan) {
    return plan.engineFolder / "differences.json";
}

Result<ComparisonState> compare(const Connector& connector, const Request& request, const Watcher& watcher) {
    return Run(connector, request, watcher).run();
}

} // namespace tealdeck::verify
