// SPDX-License-Identifier: GPL-3.0-or-later
// What servers, clients and feeds do: the model's version of core/control/schema_sql.cpp.
#include "tests/core/switch_model.h"

#include <fmt/format.h>

namespace tealdeck::test {
namespace {

bool is(const DatabaseState& db, SideRole role) {
    return db.role == static_cast<std::uint8_t>(role);
}

void become(DatabaseState& db, SideRole role) {
    db.role = static_cast<std::uint8_t>(role);
}

const char* opName(Op op) {
    constexpr std::array<const char*, 8> NAMES = {"", "close_logins", "fence", "receive", "open", "unreceive", "reopen", "complete"};
    return NAMES[static_cast<std::size_t>(op)];
}

void openLogins(DatabaseState& db) {
    db.closed = false;
    db.writers = true; // somebody is always quick
    db.unsent = 2;
}

/// Sessions of the others in this database end, with whatever they had under way.
void endForeignSessions(SwitchState& s, std::size_t own, std::size_t side, std::size_t d) {
    for (std::size_t other = 0; other < ACTORS; ++other) {
        if (other == own || (own == EngineA && other == GuardianA)) {
            continue;
        }
        ActorState& actor = s.actor[other];
        actor.sessions[side] &= static_cast<std::uint8_t>(~(1U << d));
        Call& call = actor.calls[side][d];
        call = call.op != Op::None ? Call{Op::None, Answer::Lost, 0} : call;
    }
}

void open(SwitchState& s, std::size_t side, std::size_t d) {
    DatabaseState& db = s.db[side][d];
    become(db, SideRole::Primary);
    ++db.generation;
    openLogins(db);
    s.pastGeneration = std::max(s.pastGeneration, db.generation);
    DatabaseState& other = s.db[1 - side][d];
    other.unsent = other.unsent == 1 ? 0 : other.unsent; // one synchronous commit flushes the applied tail
    // Spent with their generation.
    db.token = 0;
    db.marker = 0;
    other.marker = 0;
}

Answer fence(SwitchState& s, const SwitchModel& model, std::size_t who, std::size_t side, std::size_t d, std::uint8_t token) {
    DatabaseState& db = s.db[side][d];
    if (!is(db, SideRole::Primary) || (!db.closed && model.broken != Broken::FenceTrustsLogins)) {
        return Answer::No;
    }
    become(db, SideRole::Fenced);
    db.token = token;
    db.marker = token;
    if (model.broken != Broken::FenceLeavesSessions) {
        db.writers = false;
        endForeignSessions(s, who, side, d);
    }
    return Answer::Yes;
}

/// Opens what was received. What a stale hand closed again is received once more, as long as the source is fenced.
std::optional<Answer> complete(SwitchState& s, const SwitchModel& model, std::size_t side, std::size_t d) {
    DatabaseState& db = s.db[side][d];
    const DatabaseState& source = s.db[1 - side][d];
    if (is(db, SideRole::Replica) && is(source, SideRole::Fenced) && model.broken != Broken::CompleteReceivedOnly) {
        if (db.marker != source.token) {
            return std::nullopt;
        }
        become(db, SideRole::Received);
    }
    if (is(db, SideRole::Received)) {
        open(s, side, d);
    }
    return Answer::Yes;
}

/// Carries out a statement; std::nullopt: it goes on waiting.
std::optional<Answer> serve(SwitchState& s, const SwitchModel& model, std::size_t who, std::size_t side, std::size_t d) {
    Call& call = s.actor[who].calls[side][d];
    DatabaseState& db = s.db[side][d];
    switch (call.op) {
    case Op::Close:
        db.closed = true;
        call.op = Op::Fence; // the same batch goes on
        return std::nullopt;
    case Op::Fence:
        return fence(s, model, who, side, d, call.token);
    case Op::Receive:
        if (db.marker != call.token && model.broken != Broken::ReceiveWithoutMarker) {
            return std::nullopt;
        }
        if (!is(db, SideRole::Replica)) {
            return Answer::No;
        }
        become(db, SideRole::Received);
        db.token = call.token;
        s.db[1 - side][d].unsent = s.db[1 - side][d].unsent == 1 ? 0 : s.db[1 - side][d].unsent;
        return Answer::Yes;
    case Op::Open:
        if (!is(db, SideRole::Received) || db.token != call.token) {
            return Answer::No;
        }
        open(s, side, d);
        return Answer::Yes;
    case Op::Complete:
        return complete(s, model, side, d);
    case Op::Unreceive:
        if (!is(db, SideRole::Received) && !is(db, SideRole::Replica)) {
            return Answer::No;
        }
        become(db, SideRole::Replica);
        db.token = 0;
        return Answer::Yes;
    case Op::Reopen:
        if (!is(db, SideRole::Fenced) && !is(db, SideRole::Primary)) {
            return Answer::No;
        }
        become(db, SideRole::Primary);
        db.token = 0;
        db.marker = 0;
        openLogins(db);
        return Answer::Yes;
    case Op::None:
        break;
    }
    return std::nullopt;
}

void crash(SwitchState& s, std::size_t side, std::size_t databases) {
    for (std::size_t d = 0; d < databases; ++d) {
        endForeignSessions(s, ACTORS, side, d);
        DatabaseState& db = s.db[side][d];
        DatabaseState& other = s.db[1 - side][d];
        db.writers = !db.closed;
        if (other.unsent == 1) { // applied here, not flushed: gone, and the feed sends it again
            other.unsent = 2;
            db.marker = 0;
        }
    }
}

} // namespace

void serverSuccessors(const SwitchState& state, const SwitchModel& model, bool describe, const Emit& emit) {
    const auto databases = static_cast<std::size_t>(model.databases);
    const auto say = [&](const SwitchState& next, const char* what, std::size_t side, std::size_t d, std::size_t who) {
        constexpr std::array<const char*, ACTORS + 1> NAMES = {"engine A", "engine B", "guardian", "-"};
        emit(next, describe ? fmt::format("{} {} database {}: {}", NAMES[who], side == 0 ? "BLUE" : "GREEN", d, what) : std::string());
    };
    for (std::size_t side = 0; side < 2; ++side) {
        for (std::size_t d = 0; d < databases; ++d) {
            for (std::size_t who = 0; who < ACTORS; ++who) {
                SwitchState next = state;
                const Op op = state.actor[who].calls[side][d].op;
                const std::optional<Answer> answer = op == Op::None ? std::nullopt : serve(next, model, who, side, d);
                if (answer) {
                    Call& call = next.actor[who].calls[side][d];
                    const bool lost = call.answer == Answer::Lost;
                    call = Call{Op::None, lost ? Answer::Lost : *answer, 0};
                }
                if (!(next == state)) {
                    say(next, opName(op), side, d, who);
                }
            }
            // As long as clients write there is always something that the other side has not yet.
            const bool quiet = !state.db[side][d].writers || model.broken == Broken::FenceLeavesSessions;
            if (state.feed[side] == Feed::Active && state.db[side][d].unsent == 2 && quiet) {
                SwitchState next = state;
                next.db[side][d].unsent = 1;
                next.db[1 - side][d].marker = next.db[side][d].marker;
                say(next, "the feed brings everything over", side, d, ACTORS);
            }
        }
        if (model.serversCrash && state.faults < model.faults) {
            SwitchState next = state;
            crash(next, side, databases);
            if (!(next == state)) {
                ++next.faults;
                say(next, "the server crashes and comes back", side, 0, ACTORS);
            }
        }
    }
}

} // namespace tealdeck::test
