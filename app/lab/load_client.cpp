// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/load_client.h"

#include "app/lab/sql_client.h"

#include <cstdlib>
#include <fmt/format.h>
#include <poll.h>

namespace tealdeck {
namespace {

constexpr std::size_t BUFFER = 64 * 1024;
/// New connections follow the balancer's weights; old ones stay where they are.
constexpr std::int64_t READ_CONNECTION_NS = 4'000'000'000; // a pool's lifetime of connections, so that a new share of reads shows soon
constexpr int SHARE_OF_SINGLE_INSERTS = 60; // percent of the writes

constexpr const char* INSERT = "insert into public.load_write(client, n, system_identifier) values ($1, $2, (select "
                               "system_identifier::text from pg_control_system())) "
                               "returning id, inet_server_port(), system_identifier";
constexpr const char* READ = "select inet_server_port(), (select system_identifier from pg_control_system()), w.id "
                             "from (select 1) one left join lateral (select id from public.load_write order by id desc limit 5) w on true";

double msBetween(std::int64_t fromNs, std::int64_t toNs) {
    return static_cast<double>(toNs - fromNs) / 1e6;
}

} // namespace

LoadClient::LoadClient(const Shared& shared, int number, int index, LoadTally& tally)
    : m_shared(shared), m_number(number), m_tally(tally), m_path(shared.lab, index),
      m_random(static_cast<unsigned>(number) * 2654435761U + 1) {
    const LabState& lab = shared.lab;
    for (const std::string& database : lab.databases) {
        const std::string& straight = shared.options.straightTo;
        std::map<std::string, std::string> parameters;
        if (!straight.empty()) {
            parameters = labConnection(lab, lab.primary(straight == "blue" ? Side::Blue : Side::Green).port, "shop_app", database);
            parameters["application_name"] = "lab-load";
        }
        m_writers.push_back(std::unique_ptr<Target>(new Target{database, LoadConnection(shared.stop), false, 0, parameters}));
        parameters = labConnection(lab, lab.balancerPort, "shop_reader", database);
        parameters["application_name"] = "lab-load";
        m_readers.push_back(std::unique_ptr<Target>(new Target{database, LoadConnection(shared.stop), false, 0, parameters}));
    }
}

void LoadClient::run() {
    const double interval = m_shared.options.rate > 0 ? m_shared.options.clients / m_shared.options.rate * 1e9 : 0;
    double next = static_cast<double>(monotonicNs()) + interval * random(1000) / 1000.0;
    while (!m_shared.stop) {
        if (interval > 0) {
            const double wait = (next - static_cast<double>(monotonicNs())) / 1e6;
            if (wait > 0) {
                // In slices: a stop must not wait for a slow rate.
                ::poll(nullptr, 0, static_cast<int>(std::min(wait + 0.5, 50.0)));
                continue;
            }
            next += interval;
        }
        if (random(100) < m_shared.options.readShare) {
            read();
        } else {
            write();
        }
    }
    m_shared.history.append(m_lines);
}

void LoadClient::note(const LoadEvent& event) {
    if (!m_shared.history.isOpen()) {
        return;
    }
    m_lines += LoadHistory::line(event);
    if (m_lines.size() >= BUFFER) {
        m_shared.history.append(m_lines);
        m_lines.clear();
    }
}

void LoadClient::backOff() {
    ::poll(nullptr, 0, 5 + random(46));
}

void LoadClient::failed(LoadEvent& event, const LoadReply& reply, bool unknown) {
    event.timeNs = monotonicNs();
    event.event = unknown ? "unknown" : "fail";
    event.sqlstate = reply.sqlstate;
    event.error = reply.message;
    event.port = 0;
    event.id = 0;
    note(event);
    ++(unknown ? m_tally.counts.unknown : m_tally.counts.failed);
    ++m_tally.counts.errors[reply.sqlstate];
    m_tally.counts.examples.emplace(reply.sqlstate, reply.message);
    backOff();
}

LoadReply LoadClient::connect(LoadConnection& connection, const std::map<std::string, std::string>& parameters, bool& everOpen) {
    LoadReply reply = connection.open(parameters);
    if (reply.outcome == LoadReply::Outcome::Ok) {
        m_tally.counts.reconnects += everOpen ? 1 : 0;
        everOpen = true;
    }
    return reply;
}

LoadReply LoadClient::insertRow(LoadConnection& connection, LoadEvent& event) {
    LoadReply reply = connection.execute(INSERT, {std::to_string(m_number), std::to_string(event.n)});
    if (reply.outcome == LoadReply::Outcome::Ok && reply.rows.size() == 1) {
        event.id = std::atoll(reply.rows[0][0].c_str());
        event.port = std::atoi(reply.rows[0][1].c_str());
        event.systemIdentifier = reply.rows[0][2];
        event.side = m_shared.lab.sideOfPort(event.port);
    }
    return reply;
}

std::vector<std::string> LoadClient::otherStatements(const std::string& database, int kind) {
    if (kind == 0) {
        // Always the lower account first: two transfers never wait for each other.
        const int from = random(999) + 1;
        const int to = from + 1 + random(1000 - from);
        return {fmt::format("update public.load_account set balance = balance - 1, updated_at = now() where id = {}", from),
                fmt::format("update public.load_account set balance = balance + 1, updated_at = now() where id = {}", to)};
    }
    std::vector<std::string> statements = {
        fmt::format("insert into public.load_item values ({}, {}, repeat('x', {}))", m_number, m_writes, 20 + random(200)),
        fmt::format("delete from public.load_item where client = {} and n < {}", m_number, m_writes - 200),
    };
    if (database == "shop") {
        statements.push_back(fmt::format("with o as (insert into shop.orders(customer_id, total) values ({}, 12.50) returning id, "
                                         "placed_at) insert into shop.order_item(order_id, "
                                         "placed_at, line, product_id, quantity, price) select id, placed_at, 1, {}, 2, 6.25 from o",
                                         random(1000) + 1, random(500) + 1));
        statements.push_back(fmt::format("insert into shop.access_log(who, what) values ('client {}', 'order')", m_number));
        statements.push_back(fmt::format("update shop.product set stock = stock - 1 where id = {}", random(500) + 1));
    } else if (database == "shop_audit") {
        statements.push_back(fmt::format("insert into audit.entry(actor, action) values ('client {}', 'load')", m_number));
    } else if (database == "bench") {
        const int account = random(100000) + 1;
        statements.push_back(fmt::format("update public.pgbench_accounts set abalance = abalance + 1 where aid = {}", account));
        statements.push_back(
            fmt::format("insert into public.pgbench_history(tid, bid, aid, delta, mtime) values (1, 1, {}, 1, now())", account));
    } else if (database == "many") {
        statements.push_back(fmt::format("update public.t_{:06} set payload = md5(payload), at = now() where id = {}",
                                         random(m_shared.lab.options.tables) + 1, random(10) + 1));
    }
    return statements;
}

LoadReply LoadClient::writeOnce(LoadConnection& connection, const std::string& database, bool& committing, LoadEvent& event) {
    if (random(100) < SHARE_OF_SINGLE_INSERTS) {
        committing = true;
        return insertRow(connection, event);
    }
    LoadReply reply = connection.execute("begin");
    if (reply.outcome == LoadReply::Outcome::Ok) {
        reply = insertRow(connection, event);
    }
    for (const std::string& statement : otherStatements(database, random(2))) {
        if (reply.outcome != LoadReply::Outcome::Ok) {
            break;
        }
        reply = connection.execute(statement);
    }
    if (reply.outcome != LoadReply::Outcome::Ok) {
        if (connection.isOpen() && connection.execute("rollback").outcome != LoadReply::Outcome::Ok) {
            connection.close();
        }
        return reply;
    }
    committing = true;
    reply = connection.execute("commit");
    if (reply.outcome == LoadReply::Outcome::Refused) {
        reply.outcome = LoadReply::Outcome::Lost; // an error of the commit itself proves little
    }
    return reply;
}

void LoadClient::write() {
    Target& target = *m_writers[static_cast<std::size_t>(random(static_cast<int>(m_writers.size())))];
    LoadEvent event;
    event.client = m_number;
    event.n = ++m_writes;
    event.database = target.database;
    event.timeNs = monotonicNs();
    const std::int64_t begin = event.timeNs;
    note(event);
    bool committing = false;
    LoadReply reply;
    if (!target.connection.isOpen()) {
        // Asked anew each time: that is how these clients notice that the primary has moved.
        const std::map<std::string, std::string> parameters =
            m_shared.options.straightTo.empty() ? m_path.find(target.database) : target.parameters;
        reply = connect(target.connection, parameters, target.everOpen);
    }
    if (reply.outcome == LoadReply::Outcome::Ok) {
        reply = writeOnce(target.connection, target.database, committing, event);
    }
    if (reply.outcome != LoadReply::Outcome::Ok || event.id == 0) {
        failed(event, reply, committing && reply.outcome != LoadReply::Outcome::Refused);
        return;
    }
    event.timeNs = monotonicNs();
    event.event = "ok";
    note(event);
    m_tally.acknowledgedNs.push_back(event.timeNs);
    m_tally.writeMs.push_back(static_cast<float>(msBetween(begin, event.timeNs)));
    ++m_tally.counts.writes;
    ++m_tally.counts.writesBySide[event.side];
    ++m_shared.acknowledged;
}

void LoadClient::read() {
    Target& target = *m_readers[static_cast<std::size_t>(random(static_cast<int>(m_readers.size())))];
    if (target.connection.isOpen() && monotonicNs() - target.openedNs > READ_CONNECTION_NS) {
        target.connection.close();
        target.everOpen = false; // planned, so not counted as a reconnect
    }
    LoadEvent event;
    event.op = "read";
    event.client = m_number;
    event.n = ++m_reads;
    event.database = target.database;
    event.timeNs = monotonicNs();
    const std::int64_t begin = event.timeNs;
    note(event);
    LoadReply reply;
    if (!target.connection.isOpen()) {
        reply = connect(target.connection, target.parameters, target.everOpen);
        target.openedNs = monotonicNs();
    }
    if (reply.outcome == LoadReply::Outcome::Ok) {
        reply = target.connection.execute(READ);
    }
    if (reply.outcome != LoadReply::Outcome::Ok || reply.rows.empty()) {
        failed(event, reply, false);
        return;
    }
    event.timeNs = monotonicNs();
    event.event = "ok";
    event.port = std::atoi(reply.rows[0][0].c_str());
    event.side = m_shared.lab.sideOfPort(event.port);
    event.systemIdentifier = reply.rows[0][1];
    event.id = std::atoll(reply.rows[0][2].c_str());
    event.rows = event.id == 0 ? 0 : static_cast<int>(reply.rows.size());
    note(event);
    m_tally.readMs.push_back(static_cast<float>(msBetween(begin, event.timeNs)));
    ++m_tally.counts.reads;
    ++m_tally.counts.readsBySide[event.side];
}

} // namespace tealdeck
