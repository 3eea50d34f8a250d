// SPDX-License-Identifier: GPL-3.0-or-later
// A switch as a model that can be searched whole: two servers with their rows and fences, a feed, poolers, an engine with its guardian, and
// a second console that takes over. Any process may die and any session may break at any point, answers get lost, statements of the dead
// are still carried out. What to do after a death is decided by the program's own decide().
#pragma once
#include "core/cutover/settle.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace tealdeck::test {

/// What is deliberately wrong in the protocol, so that the search can show that it would notice.
enum class Broken {
    Nothing,
    GiveBackWithoutProof,  ///< settling reopens the source without taking the destination's "received" away first
    CompleteReceivedOnly,  ///< completing does nothing for a database that a stale hand closed again
    FenceLeavesSessions,   ///< the fence does not end the clients' sessions
    FenceTrustsLogins,     ///< the fence does not ask whether the logins are still closed
    ReceiveWithoutMarker,  ///< the destination does not wait for the marker
    OpenBeforeAllReceived, ///< the first database is opened when the others were not received
    LostAnswerMeansNo,     ///< an opening whose answer was lost counts as "not opened"
    OpeningToldLate,       ///< the guardian hears of the opening after it was sent
    GuardianNotReplaced,   ///< the guardian does not ask whether its engine was replaced
    ReturnAfterPoint,      ///< a pooler that fails after the point of no return makes the engine go back
    NoWayBack,             ///< green is opened before the way back exists
    LockNotAsked,          ///< a switch begins without the driver's lock
    NoGuardian
};

struct SwitchModel {
    int databases = 1; ///< 1 or 2
    int poolers = 1;   ///< 0 to 2
    int attempts = 2;  ///< switches that are begun, in either direction
    int faults = 3;    ///< deaths, crashes, lost answers, servers out of reach and limits that pass, all together
    bool secondConsole = true;
    bool restarts = true;      ///< an operator starts a dead engine again
    bool guardianDies = true;  ///< the guardian may die too, or give up
    bool serversCrash = true;  ///< with what they had not flushed
    bool sessionsBreak = true; ///< answers get lost, servers are out of reach
    bool deafSessions = true;  ///< sessions of the dead can't always be ended
    Broken broken = Broken::Nothing;
};

enum Actor : std::uint8_t { EngineA, EngineB, GuardianA, ACTORS };

enum class Op : std::uint8_t { None, Close, Fence, Receive, Open, Unreceive, Reopen, Complete };
enum class Answer : std::uint8_t { None, Yes, No, Lost };

/// A statement of one actor in one database: on its way or under way until op is None.
struct Call {
    Op op : 4;
    Answer answer : 2;
    std::uint8_t token : 2;
};

/// Where an engine, or the guardian, is.
enum class At : std::uint8_t {
    Dead,
    Ready,
    Pausing,
    Sending,
    Waiting,
    Telling,
    OpenFirst,
    OpeningFirst,
    OpeningRest,
    Resuming,
    EndOldFeed,
    StartReturnFeed,
    Follow,
    WriteEpoch,
    Watching, ///< the guardian
    // Settling, in the order of Settler::settle
    Connect,
    LookAtBlue,
    LookAtGreen,
    Unreceiving,
    Reopening,
    Completing,
    Pointing
};

struct ActorState {
    At at = At::Dead;
    std::uint8_t source = 0; ///< side of the move, or that settling gives back or completes from
    std::uint8_t token = 0;
    std::uint8_t pooler = 0; ///< next one to pause, resume or point; next database to close
    bool past = false;
    bool neverOpened = false;
    bool starting = false;                      ///< settling at the beginning of a life
    bool told = false;                          ///< the guardian: an opening may have been sent
    bool replaced = false;                      ///< another engine has written a newer epoch
    std::array<std::uint8_t, 2> sessions{};     ///< by side: a bit for each database
    std::array<std::uint8_t, 2> seen{};         ///< by database: what blue's row said
    std::array<std::array<Call, 2>, 2> calls{}; ///< by side and database
};

struct DatabaseState {
    std::uint8_t role = 0; ///< SideRole
    std::uint8_t generation = 0;
    std::uint8_t token = 0;
    std::uint8_t marker = 0; ///< token of the newest marker here
    std::uint8_t unsent = 0; ///< acknowledged writes of here: 2 not on the other side, 1 there but not flushed, 0 all safe
    bool closed = false;     ///< logins are taken away
    bool writers = false;    ///< clients have sessions, and write all the time
};

enum class Feed : std::uint8_t { None, Prepared, Active };

struct SwitchState {
    std::array<std::array<DatabaseState, 2>, 2> db{}; ///< by side and database
    std::array<Feed, 2> feed{};                       ///< by the side that it comes from
    std::array<std::uint8_t, 2> poolerSide{};
    std::array<bool, 2> poolerPaused{};
    std::uint8_t pastGeneration = 0; ///< the durable row: the move into this generation can't be taken back
    std::uint8_t attempts = 0;
    std::uint8_t faults = 0;
    std::uint8_t lock = ACTORS; ///< the engine that holds the driver's lock
    bool twoDrivers = false;    ///< a switch was begun by an engine without the lock
    std::array<ActorState, ACTORS> actor{};

    bool operator==(const SwitchState& other) const { return std::memcmp(this, &other, sizeof *this) == 0; }
};
static_assert(std::has_unique_object_representations_v<SwitchState>, "states are compared and hashed as bytes");

using Emit = std::function<void(const SwitchState& next, const std::string& what)>;

/// Where everything begins: blue is production, green follows, engine A is ready.
SwitchState firstState(const SwitchModel& model);
/// Every state that can follow. Descriptions are made only when asked for, they cost more than the rest.
void successors(const SwitchState& state, const SwitchModel& model, bool describe, const Emit& emit);
/// The part of it that servers, clients and feeds do by themselves.
void serverSuccessors(const SwitchState& state, const SwitchModel& model, bool describe, const Emit& emit);
/// The law that is broken in this state; empty: none.
std::string brokenLaw(const SwitchState& state, const SwitchModel& model);
/// Writes go to one side, whole, the other is closed, and every pooler leads there.
bool isSettled(const SwitchState& state, const SwitchModel& model);

struct SearchResult {
    std::size_t states = 0;
    std::size_t steps = 0;
    std::string law;                ///< the first that was found broken, with the shortest trace to it
    std::vector<std::string> trace; ///< what happened, from the first state
};
/// All reachable states, breadth first; ends at the first broken law. A state from which no settled one can be reached breaks a law too.
SearchResult search(const SwitchModel& model);

} // namespace tealdeck::test
