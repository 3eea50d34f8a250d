// SPDX-License-Identifier: GPL-3.0-or-later
// What engines and guardian do: the model's version of core/cutover.
#include "tests/core/switch_model.h"

#include <fmt/format.h>

namespace tealdeck::test {
namespace {

using Verdict = Situation::Verdict;

constexpr std::array<const char*, ACTORS> NAMES = {"engine A", "engine B", "guardian"};

/// One actor's possible next acts from one state.
class Acts {
  public:
    Acts(const SwitchState& state, const SwitchModel& model, std::size_t who, bool describe, const Emit& emit)
        : m_state(state), m_model(model), m_who(who), m_describe(describe), m_emit(emit),
          m_count(static_cast<std::size_t>(model.databases)), m_poolers(static_cast<std::size_t>(model.poolers)) {}

    void all() {
        if (m_who == GuardianA) {
            guardian();
        } else {
            engine();
        }
        settling();
        if (m_model.sessionsBreak) {
            loseAnswers();
        }
    }

  private:
    [[nodiscard]] const ActorState& me() const { return m_state.actor[m_who]; }
    ActorState& me(SwitchState& s) const { return s.actor[m_who]; }
    [[nodiscard]] std::uint8_t everySession() const { return static_cast<std::uint8_t>((1U << m_count) - 1); }
    [[nodiscard]] bool breaks(Broken what) const { return m_model.broken == what; }

    void emit(const SwitchState& next, const char* what) const {
        m_emit(next, m_describe ? fmt::format("{}: {}", NAMES[m_who], what) : std::string());
    }
    /// The next state is this one with a change.
    template <typename Change>
    void go(const char* what, Change change) const {
        SwitchState next = m_state;
        change(next);
        emit(next, what);
    }

    /// The same for what goes wrong, as often as the model allows.
    template <typename Change>
    void fault(const char* what, Change change) const {
        if (m_state.faults < m_model.faults) {
            go(what, [&](SwitchState& s) {
                ++s.faults;
                change(s);
            });
        }
    }

    void send(SwitchState& s, std::size_t side, std::size_t d, Op op) const {
        ActorState& actor = me(s);
        const bool alive = (actor.sessions[side] & (1U << d)) != 0;
        actor.calls[side][d] = alive ? Call{op, Answer::None, actor.token} : Call{Op::None, Answer::Lost, 0};
    }
    void sendAll(SwitchState& s, std::size_t side, Op op) const {
        for (std::size_t d = 0; d < m_count; ++d) {
            send(s, side, d, op);
        }
    }
    /// Yes when all answered so, No or Lost when one did, None while one is waited for.
    [[nodiscard]] Answer answers(std::size_t side, std::size_t from, std::size_t to) const {
        Answer all = Answer::Yes;
        for (std::size_t d = from; d < to; ++d) {
            const Answer one = me().calls[side][d].answer;
            if (one == Answer::No || one == Answer::Lost) {
                return one;
            }
            all = one == Answer::None ? Answer::None : all;
        }
        return all;
    }
    /// What was asked is answered or given up; a statement that is still under way goes on without us.
    void forget(SwitchState& s) const {
        for (auto& side : me(s).calls) {
            for (Call& call : side) {
                call.answer = call.op == Op::None ? Answer::None : Answer::Lost;
            }
        }
    }

    void die(SwitchState& s, std::size_t who) const {
        ActorState& actor = s.actor[who];
        const bool replaced = actor.replaced;
        const auto calls = actor.calls;
        actor = {};
        actor.replaced = replaced;
        actor.calls = calls;
        for (auto& side : actor.calls) {
            for (Call& call : side) {
                call = call.op == Op::None ? Call{} : Call{call.op, Answer::Lost, call.token};
            }
        }
        if (s.lock == who) {
            s.lock = ACTORS;
        }
        ActorState& guardian = s.actor[GuardianA];
        if (who == EngineA && guardian.at == At::Watching) {
            guardian.at = At::Connect;
            guardian.neverOpened = !guardian.told;
        }
    }
    void endGuardian(SwitchState& s) const {
        if (m_who == EngineA && s.actor[GuardianA].at == At::Watching) {
            s.actor[GuardianA] = {};
        }
    }
    void takeBack(SwitchState& s, bool neverOpened) const {
        forget(s);
        ActorState& actor = me(s);
        actor.at = At::Connect;
        actor.neverOpened = neverOpened && !actor.past;
        actor.starting = false;
        actor.pooler = 0;
    }
    /// Nothing of the work is remembered.
    void rest(SwitchState& s, At at) const {
        forget(s);
        ActorState& actor = me(s);
        const bool replaced = actor.replaced;
        const auto calls = actor.calls;
        const auto sessions = actor.sessions;
        actor = {};
        actor.at = at;
        actor.replaced = replaced;
        actor.calls = calls;
        actor.sessions = sessions;
    }

    void guardian() const {
        if (me().at == At::Dead) {
            return;
        }
        if (me().at == At::Watching) {
            fault("the engine is silent: ends it", [&](SwitchState& s) { die(s, EngineA); });
        }
        if (m_model.guardianDies) {
            fault("dies or gives up", [&](SwitchState& s) { die(s, GuardianA); });
        }
    }

    void engine() const {
        const At at = me().at;
        if (at == At::Dead) {
            start();
            return;
        }
        fault("is killed", [&](SwitchState& s) { die(s, m_who); });
        switch (at) {
        case At::Ready:
            begin(0);
            begin(1);
            if (m_model.restarts) {
                go("is stopped by its operator", [&](SwitchState& s) { die(s, m_who); });
            }
            break;
        case At::Pausing:
        case At::Resuming:
            poolers();
            break;
        case At::Sending:
            go("sends fence and receive", [&](SwitchState& s) {
                sendAll(s, me().source, Op::Close);
                sendAll(s, 1 - me().source, Op::Receive);
                me(s).at = At::Waiting;
            });
            break;
        case At::Waiting:
            waiting();
            break;
        case At::Telling:
            go("tells the guardian", [&](SwitchState& s) {
                ActorState& guardian = s.actor[GuardianA];
                guardian.told = guardian.told || (m_who == EngineA && guardian.at == At::Watching && !breaks(Broken::OpeningToldLate));
                me(s).at = At::OpenFirst;
            });
            break;
        case At::OpenFirst:
            go("sends open", [&](SwitchState& s) {
                send(s, 1 - me().source, 0, Op::Open);
                me(s).at = At::OpeningFirst;
            });
            break;
        case At::OpeningFirst:
        case At::OpeningRest:
            opening();
            break;
        default:
            tail();
        }
    }

    void start() const {
        const bool second = m_who == EngineB;
        if (second ? !m_model.secondConsole : !m_model.restarts) {
            return;
        }
        if (!second && m_state.lock != ACTORS) {
            return;
        }
        go(second ? "starts and takes over" : "starts again", [&](SwitchState& s) {
            rest(s, At::WriteEpoch);
            me(s).starting = true;
            me(s).replaced = false;
            if (second) {
                endOthers(s, 0);
                endOthers(s, 1);
            }
            s.lock = static_cast<std::uint8_t>(m_who);
        });
    }

    void begin(std::size_t source) const {
        const ActorState& guardian = m_state.actor[GuardianA];
        const bool mine = m_state.lock == m_who && !me().replaced;
        if (m_state.attempts >= m_model.attempts || (!mine && !breaks(Broken::LockNotAsked)) ||
            (m_who == EngineA && guardian.at != At::Dead)) {
            return;
        }
        for (std::size_t d = 0; d < m_count; ++d) {
            const DatabaseState& from = m_state.db[source][d];
            const DatabaseState& to = m_state.db[1 - source][d];
            const bool received = to.role == static_cast<std::uint8_t>(SideRole::Received);
            if (from.role != static_cast<std::uint8_t>(SideRole::Primary) || from.generation != to.generation ||
                (!received && to.role != static_cast<std::uint8_t>(SideRole::Replica))) {
                return;
            }
        }
        go(source == 0 ? "begins a cutover" : "begins a rollback", [&](SwitchState& s) {
            ActorState& actor = me(s);
            for (std::size_t d = 0; d < m_count; ++d) {
                s.db[1 - source][d].role = static_cast<std::uint8_t>(SideRole::Replica);
            }
            s.twoDrivers = !mine;
            actor.source = static_cast<std::uint8_t>(source);
            actor.token = ++s.attempts;
            actor.sessions = {everySession(), everySession()};
            actor.at = At::Pausing;
            s.feed[1 - source] = breaks(Broken::NoWayBack) ? Feed::None : Feed::Prepared;
            if (m_who == EngineA && !breaks(Broken::NoGuardian)) {
                ActorState& watch = s.actor[GuardianA];
                watch.at = At::Watching;
                watch.sessions = actor.sessions;
                watch.replaced = false;
            }
        });
    }

    void poolers() const {
        const bool pausing = me().at == At::Pausing;
        const std::size_t i = me().pooler;
        if (i < m_poolers) {
            go(pausing ? "a pooler pauses" : "a pooler resumes", [&](SwitchState& s) {
                s.poolerPaused[i] = pausing;
                s.poolerSide[i] = pausing ? s.poolerSide[i] : static_cast<std::uint8_t>(1 - me().source);
                ++me(s).pooler;
            });
            fault("a pooler does not answer", [&](SwitchState& s) {
                if (!pausing && breaks(Broken::ReturnAfterPoint)) {
                    me(s).at = At::Reopening;
                    sendAll(s, me().source, Op::Reopen);
                } else {
                    takeBack(s, pausing);
                }
            });
            return;
        }
        go(pausing ? "every pooler is paused" : "every pooler is resumed", [&](SwitchState& s) {
            me(s).pooler = 0;
            me(s).at = pausing ? At::Sending : At::EndOldFeed;
            if (!pausing) {
                forget(s);
                endGuardian(s);
            }
        });
    }

    void waiting() const {
        go("gives up before the opening", [&](SwitchState& s) { takeBack(s, true); });
        const std::size_t to = 1 - me().source;
        const std::size_t needed = breaks(Broken::OpenBeforeAllReceived) ? 1 : m_count;
        const bool locked = m_state.lock == m_who || breaks(Broken::LockNotAsked);
        if (answers(me().source, 0, needed) == Answer::Yes && answers(to, 0, needed) == Answer::Yes && locked) {
            go("all is fenced and received", [&](SwitchState& s) { me(s).at = At::Telling; });
        }
    }

    void opening() const {
        const bool first = me().at == At::OpeningFirst;
        const std::size_t to = 1 - me().source;
        const Answer answer = answers(to, first ? 0 : 1, first ? 1 : m_count);
        if (answer == Answer::Yes) {
            go(first ? "the first is open" : "all are open", [&](SwitchState& s) {
                me(s).past = true;
                me(s).at = first ? At::OpeningRest : At::Resuming;
                for (std::size_t d = 1; first && d < m_count; ++d) {
                    send(s, to, d, Op::Open);
                }
            });
        }
        if (answer == Answer::No || answer == Answer::Lost) {
            go("does not know whether it is open", [&](SwitchState& s) { takeBack(s, breaks(Broken::LostAnswerMeansNo)); });
        } else {
            fault("waits no longer for the opening", [&](SwitchState& s) { takeBack(s, breaks(Broken::LostAnswerMeansNo)); });
        }
    }

    void tail() const {
        const std::size_t from = me().source;
        const bool reachable = me().sessions[0] == everySession() && me().sessions[1] == everySession();
        const At at = me().at;
        if (at != At::EndOldFeed && at != At::StartReturnFeed && at != At::Follow) {
            return;
        }
        if (!reachable || me().replaced) {
            go("cannot end the move now", [&](SwitchState& s) { rest(s, At::Ready); });
            return;
        }
        if (at == At::EndOldFeed) {
            go("disables the old feed", [&](SwitchState& s) {
                s.feed[from] = Feed::None;
                me(s).at = At::StartReturnFeed;
            });
        } else if (at == At::StartReturnFeed) {
            go("enables the way back", [&](SwitchState& s) {
                s.feed[1 - from] = Feed::Active;
                me(s).at = At::Follow;
            });
        } else {
            go("the old production follows", [&](SwitchState& s) {
                for (std::size_t d = 0; d < m_count; ++d) {
                    DatabaseState& db = s.db[from][d];
                    if (db.role == static_cast<std::uint8_t>(SideRole::Fenced)) {
                        db.role = static_cast<std::uint8_t>(SideRole::Replica);
                        ++db.generation;
                    }
                }
                rest(s, At::Ready);
            });
        }
    }

    void endOthers(SwitchState& s, std::size_t side) const {
        for (std::size_t other = 0; other < ACTORS; ++other) {
            for (std::size_t d = 0; d < m_count; ++d) {
                Call& call = s.actor[other].calls[side][d];
                if (other != m_who) {
                    s.actor[other].sessions[side] = 0;
                    call = s.actor[other].at == At::Dead ? Call{} : call.op != Op::None ? Call{Op::None, Answer::Lost, 0} : call;
                } else {
                    call = {};
                }
            }
        }
    }

    void settling() const {
        switch (me().at) {
        case At::Connect:
            connect();
            break;
        case At::LookAtBlue:
            go("looks at BLUE", [&](SwitchState& s) {
                for (std::size_t d = 0; d < m_count; ++d) {
                    const DatabaseState& db = m_state.db[0][d];
                    const bool answered = (me().sessions[0] & (1U << d)) != 0;
                    me(s).seen[d] = answered ? static_cast<std::uint8_t>(db.role | (db.generation << 3) | (db.closed ? 64 : 0)) : 255;
                }
                me(s).at = At::LookAtGreen;
            });
            break;
        case At::LookAtGreen:
            decideNow();
            break;
        case At::Unreceiving:
            unreceiving();
            break;
        case At::Reopening:
        case At::Completing:
            settlingCalls();
            break;
        case At::Pointing:
            point();
            break;
        case At::WriteEpoch:
            writeEpoch();
            break;
        default:
            break;
        }
    }

    void startAgain(SwitchState& s) const {
        forget(s);
        me(s).at = me().starting ? At::WriteEpoch : At::Connect;
        me(s).seen = {};
        me(s).pooler = 0;
    }

    void connect() const {
        const bool asks = m_who != GuardianA || !breaks(Broken::GuardianNotReplaced);
        for (const bool blue : {true, false}) {
            for (const bool green : {true, false}) {
                if (asks && me().replaced && (blue || green)) {
                    leave();
                    return;
                }
                if (blue && green) {
                    go("reaches both sides, ends the others' sessions", [&](SwitchState& s) { reach(s, true, true, true); });
                } else if (m_model.sessionsBreak) {
                    fault(blue    ? "reaches BLUE only"
                          : green ? "reaches GREEN only"
                                  : "reaches nobody",
                          [&](SwitchState& s) { reach(s, blue, green, true); });
                }
                if ((blue || green) && m_model.deafSessions) {
                    fault(blue && green ? "cannot end the others' sessions"
                          : blue        ? "cannot end the others' sessions on BLUE, nor reach GREEN"
                                        : "cannot end the others' sessions on GREEN, nor reach BLUE",
                          [&](SwitchState& s) { reach(s, blue, green, false); });
                }
            }
        }
    }

    void leave() const {
        go("sees that it was replaced, and leaves", [&](SwitchState& s) {
            // What it may have paused it lets go; where the pooler leads is the other's business.
            s.poolerPaused = {};
            endGuardian(s);
            rest(s, m_who == GuardianA ? At::Dead : At::Ready);
        });
    }

    void reach(SwitchState& s, bool blue, bool green, bool ends) const {
        me(s).sessions = {blue ? everySession() : std::uint8_t(0), green ? everySession() : std::uint8_t(0)};
        for (std::size_t side = 0; side < 2; ++side) {
            if (me(s).sessions[side] != 0 && ends) {
                endOthers(s, side);
            }
        }
        me(s).at = At::LookAtBlue;
    }

    [[nodiscard]] Situation situation() const {
        Situation found;
        found.databases.resize(m_count);
        for (std::size_t d = 0; d < m_count; ++d) {
            if (me().seen[d] != 255) {
                found.databases[d].blue = SideRow{static_cast<SideRole>(me().seen[d] & 7), (me().seen[d] >> 3) & 7, {}, {}};
                found.databases[d].blueLoginsClosed = (me().seen[d] & 64) != 0 && found.databases[d].blue->role == SideRole::Primary;
            }
            if ((me().sessions[1] & (1U << d)) != 0) {
                const DatabaseState& green = m_state.db[1][d];
                found.databases[d].green = SideRow{static_cast<SideRole>(green.role), green.generation, {}, {}};
                found.databases[d].greenLoginsClosed = green.closed && green.role == static_cast<std::uint8_t>(SideRole::Primary);
            }
        }
        return found;
    }

    void decideNow() const {
        const Situation found = situation();
        const Verdict verdict = decide(found, me().neverOpened);
        const auto towards = [&](SwitchState& s, std::size_t production, At at) {
            me(s).seen = {};
            me(s).pooler = 0;
            me(s).at = at;
            me(s).source = static_cast<std::uint8_t>(at == At::Unreceiving || at == At::Reopening ? production : 1 - production);
        };
        if (verdict == Verdict::Unclear || verdict == Verdict::NotBegun) {
            go("finds it unclear", [&](SwitchState& s) { startAgain(s); });
            return;
        }
        go(verdictName(verdict), [&](SwitchState& s) {
            const bool green = verdict == Verdict::OnGreen || verdict == Verdict::ReturnToGreen || verdict == Verdict::CompleteToGreen;
            const std::size_t side = green ? 1 : 0;
            if (verdict == Verdict::OnBlue || verdict == Verdict::OnGreen) {
                towards(s, side, At::Pointing);
            } else if (verdict == Verdict::CompleteToBlue || verdict == Verdict::CompleteToGreen) {
                towards(s, side, At::Completing);
                sendAll(s, side, Op::Complete);
            } else {
                giveBack(s, found, side, towards);
            }
        });
    }

    template <typename Towards>
    void giveBack(SwitchState& s, const Situation& found, std::size_t source, const Towards& towards) const {
        bool fenced = false;
        for (const Situation::Database& d : found.databases) {
            const auto& row = source == 0 ? d.blue : d.green;
            fenced = fenced || !row || row->role != SideRole::Primary;
        }
        towards(s, source, breaks(Broken::GiveBackWithoutProof) ? At::Reopening : At::Unreceiving);
        me(s).neverOpened = me().neverOpened || !fenced;
        if (breaks(Broken::GiveBackWithoutProof)) {
            sendAll(s, source, Op::Reopen);
        } else {
            // One after the other, the one that is opened first first: an opening that is under way is then seen before another database
            // loses what it would be completed with.
            send(s, 1 - source, 0, Op::Unreceive);
        }
    }

    void unreceiving() const {
        const std::size_t source = me().source;
        const std::size_t asked = std::size_t(me().pooler) + 1;
        const Answer answer = answers(1 - source, me().pooler, asked);
        if (answer != Answer::None && (answer == Answer::Yes || me().neverOpened)) {
            go(asked < m_count ? "that one is proven closed" : "the destination is proven closed", [&](SwitchState& s) {
                forget(s);
                if (asked < m_count) {
                    send(s, 1 - source, asked, Op::Unreceive);
                    me(s).pooler = static_cast<std::uint8_t>(asked);
                    return;
                }
                sendAll(s, source, Op::Reopen);
                me(s).pooler = 0;
                me(s).at = At::Reopening;
            });
        } else if (answer != Answer::None) {
            go("could not: tries again", [&](SwitchState& s) { startAgain(s); });
        }
    }

    void settlingCalls() const {
        const std::size_t side = me().at == At::Completing ? 1 - me().source : me().source;
        const Answer answer = answers(side, 0, m_count);
        if (answer == Answer::Yes) {
            go("done there", [&](SwitchState& s) {
                forget(s);
                me(s).at = At::Pointing;
                // From here on source is the side that production is not on, whatever was done.
                me(s).source = static_cast<std::uint8_t>(1 - side);
            });
        } else if (answer != Answer::None) {
            go("could not: tries again", [&](SwitchState& s) { startAgain(s); });
        }
    }

    void point() const {
        const std::size_t production = 1 - me().source;
        if (me().pooler < m_poolers) {
            go("a pooler is pointed and resumed", [&](SwitchState& s) {
                s.poolerPaused[me().pooler] = false;
                s.poolerSide[me().pooler] = static_cast<std::uint8_t>(production);
                ++me(s).pooler;
            });
            fault("a pooler does not answer", [&](SwitchState& s) { startAgain(s); });
            return;
        }
        go("is settled", [&](SwitchState& s) {
            if (m_who == GuardianA) {
                rest(s, At::Dead);
                me(s).sessions = {};
                return;
            }
            endGuardian(s);
            finish(s, production);
        });
    }

    /// Settled: the tail of a move that was completed, or the end of one that was not.
    void finish(SwitchState& s, std::size_t production) const {
        bool tail = false;
        for (std::size_t d = 0; d < m_count; ++d) {
            tail = tail || s.db[1 - production][d].role == static_cast<std::uint8_t>(SideRole::Fenced);
        }
        const bool undoes = !me().starting && !me().replaced && me().sessions[0] == everySession() && me().sessions[1] == everySession();
        rest(s, tail ? At::EndOldFeed : At::Ready);
        me(s).source = static_cast<std::uint8_t>(tail ? 1 - production : 0);
        if (!tail && undoes && s.feed[1 - production] == Feed::Prepared) {
            s.feed[1 - production] = Feed::None;
        }
    }

    /// The lock's holder makes its epoch known before it does anything; who lost the lock meanwhile leaves.
    void writeEpoch() const {
        if (m_state.lock != m_who) {
            go("lost the lock, and leaves", [&](SwitchState& s) { rest(s, At::Ready); });
            return;
        }
        go("writes its epoch", [&](SwitchState& s) {
            for (std::size_t other = 0; other < ACTORS; ++other) {
                s.actor[other].replaced = other != m_who && s.actor[other].at != At::Dead;
            }
            me(s).at = At::Connect;
        });
    }

    void loseAnswers() const {
        for (std::size_t side = 0; side < 2; ++side) {
            for (std::size_t d = 0; d < m_count; ++d) {
                const Call& call = me().calls[side][d];
                if (me().at != At::Dead && call.answer != Answer::Lost && (call.op != Op::None || call.answer != Answer::None)) {
                    fault("an answer is lost", [&](SwitchState& s) {
                        me(s).calls[side][d].answer = Answer::Lost;
                        me(s).sessions[side] &= static_cast<std::uint8_t>(~(1U << d));
                    });
                }
            }
        }
    }

    const SwitchState& m_state;
    const SwitchModel& m_model;
    std::size_t m_who;
    bool m_describe;
    const Emit& m_emit;
    std::size_t m_count;
    std::size_t m_poolers;
};

} // namespace

SwitchState firstState(const SwitchModel& model) {
    SwitchState s;
    for (std::size_t d = 0; d < static_cast<std::size_t>(model.databases); ++d) {
        s.db[0][d].role = static_cast<std::uint8_t>(SideRole::Primary);
        s.db[0][d].writers = true;
        s.db[0][d].unsent = 2;
        s.db[1][d].role = static_cast<std::uint8_t>(SideRole::Replica);
        s.db[1][d].closed = true;
    }
    s.feed = {Feed::Active, Feed::None};
    s.lock = EngineA;
    s.actor[EngineA].at = At::Ready;
    return s;
}

void successors(const SwitchState& state, const SwitchModel& model, bool describe, const Emit& emit) {
    serverSuccessors(state, model, describe, emit);
    for (std::size_t who = 0; who < ACTORS; ++who) {
        Acts(state, model, who, describe, emit).all();
    }
}

} // namespace tealdeck::test
