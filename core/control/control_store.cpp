// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/control/control_store.h"

#include "core/control/schema_sql.h"

#include <array>
#include <utility>

namespace tealdeck {
namespace {

constexpr std::array<std::pair<SideRole, const char*>, 5> ROLES = {{{SideRole::None, "none"},
                                                                    {SideRole::Primary, "primary"},
                                                                    {SideRole::Fenced, "fenced"},
                                                                    {SideRole::Replica, "replica"},
                                                                    {SideRole::Received, "received"}}};

Status asStatus(const Result<Rows>& result) {
    return result.ok() ? Status() : Status(result.error());
}

/// Undefined table or schema: the control schema is not there, which is an answer and no failure.
bool isAbsent(const Error& error) {
    return error.sqlstate == "42P01" || error.sqlstate == "3F000";
}

} // namespace

const char* sideRoleName(SideRole role) {
    for (const auto& [value, name] : ROLES) {
        if (value == role) {
            return name;
        }
    }
    return "none";
}

namespace control {

Status install(Connection& session) {
    return asStatus(
        session.batch(std::string("SET client_min_messages = warning; BEGIN; ") + CONTROL_SCHEMA_SQL + "; COMMIT", Millis(15000)));
}

Status initialiseSide(Connection& session, const std::string& deployment, Side side) {
    return asStatus(session.query("insert into tealdeck.side(deployment, side, role) values ($1, $2, $3) on conflict (id) do nothing",
                                  {deployment, sideName(side), side == Side::Blue ? "primary" : "replica"}));
}

Result<SideRow> readSide(Connection& session) {
    const Result<Rows> rows =
        session.query("select role, generation, coalesce(token, ''), coalesce(lsn::text, '') from tealdeck.side", {}, Millis(3000));
    if (!rows) {
        return isAbsent(rows.error()) ? Result<SideRow>(SideRow{}) : Result<SideRow>(rows.error());
    }
    SideRow row;
    if (!rows->empty()) {
        for (const auto& [value, name] : ROLES) {
            if (rows->text(0, 0) == name) {
                row.role = value;
            }
        }
        row.generation = std::stoll(rows->text(0, 1));
        row.token = rows->text(0, 2);
        row.lsn = rows->text(0, 3);
    }
    return row;
}

Result<std::optional<DeploymentRow>> readDeployment(Connection& session, const std::string& deployment) {
    const Result<Rows> rows = session.query(
        "select epoch, phase, plan_sha256, recording_id, info::text from tealdeck.deployment where id = $1", {deployment}, Millis(3000));
    if (!rows) {
        return isAbsent(rows.error()) ? Result<std::optional<DeploymentRow>>(std::optional<DeploymentRow>()) : rows.error();
    }
    if (rows->empty()) {
        return std::optional<DeploymentRow>();
    }
    DeploymentRow row;
    row.epoch = std::stoll(rows->text(0, 0));
    row.phase = phaseFromName(rows->text(0, 1)).value_or(Phase::Plan);
    row.planSha256 = rows->text(0, 2);
    row.recordingId = rows->text(0, 3);
    row.info = parseJson(rows->text(0, 4)).value_or(Json::object());
    return std::optional<DeploymentRow>(row);
}

Status notReplaced(Connection& session, const std::string& deployment, std::int64_t epoch) {
    const auto row = readDeployment(session, deployment);
    if (!row) {
        return row.error();
    }
    if (*row && (*row)->epoch > epoch) {
        return Error{Error::Kind::Refused,
                     "Another engine has taken this deployment over; this one leaves everything to it.",
                     "Stop this engine and attach to the other one.",
                     {}};
    }
    return {};
}

Result<bool> claimEpoch(Connection& session, const std::string& deployment, const std::string& holder, std::int64_t epoch) {
    const Result<Rows> rows = session.query(
        "with claimed as (update tealdeck.deployment set epoch = $2, holder = $3, updated_at = clock_timestamp() where id = $1 "
        "and epoch < $2 returning id) select not exists (select from tealdeck.deployment where id = $1) or exists (select from "
        "claimed)",
        {deployment, std::to_string(epoch), holder}, Millis(5000));
    if (!rows) {
        return isAbsent(rows.error()) ? Result<bool>(true) : Result<bool>(rows.error());
    }
    return rows->text(0, 0) == "t";
}

Status writeDeployment(Connection& session, const std::string& deployment, const std::string& holder, const DeploymentRow& row,
                       const std::string& headHash) {
    // The epoch is the fencing token: a driver that was replaced finds a higher one and writes nothing.
    const Result<Rows> rows = session.query("insert into tealdeck.deployment as d (id, epoch, holder, phase, plan_sha256, recording_id, "
                                            "head_hash, info) values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb) "
                                            "on conflict (id) do update set epoch = excluded.epoch, holder = excluded.holder, phase = "
                                            "excluded.phase, plan_sha256 = excluded.plan_sha256, "
                                            "recording_id = excluded.recording_id, head_hash = excluded.head_hash, info = d.info || "
                                            "excluded.info, updated_at = clock_timestamp() where d.epoch <= excluded.epoch returning 1",
                                            {deployment, std::to_string(row.epoch), holder, phaseName(row.phase), row.planSha256,
                                             row.recordingId, headHash, dumpJson(row.info)},
                                            Millis(5000));
    if (!rows) {
        return rows.error();
    }
    if (rows->empty()) {
        return Error{
            Error::Kind::Conflict, "Another driver has taken this deployment over.", "This engine must stop; attach to the other one.", {}};
    }
    return {};
}

Status writeJournal(Connection& session, const std::string& deployment, std::int64_t epoch, const std::string& step,
                    const std::string& state, const Json& detail) {
    return asStatus(session.query("insert into tealdeck.journal(deployment, epoch, step, state, detail) values ($1, $2, $3, $4, $5::jsonb)",
                                  {deployment, std::to_string(epoch), step, state, dumpJson(detail)}, Millis(5000)));
}

Status saveOnce(Connection& session, const std::string& key, const Json& value) {
    return asStatus(session.query("select tealdeck.save_once($1, $2::jsonb)", {key, dumpJson(value)}));
}

Result<std::optional<Json>> readSaved(Connection& session, const std::string& key) {
    const Result<Rows> rows = session.query("select value::text from tealdeck.saved where key = $1", {key});
    if (!rows) {
        return isAbsent(rows.error()) ? Result<std::optional<Json>>(std::optional<Json>()) : rows.error();
    }
    return rows->empty() ? std::optional<Json>() : parseJson(rows->text(0, 0));
}

Status remove(Connection& session) {
    return asStatus(
        session.batch("SET client_min_messages = warning; drop event trigger if exists tealdeck_ddl_end; drop event trigger if exists tealdeck_ddl_drop; "
                      "drop schema if exists tealdeck, tealdeck_sync cascade", Millis(15000)));
}

} // namespace control
} // namespace tealdeck
