// SPDX-License-Identifier: GPL-3.0-or-later
// The beginning of an engine's life: whatever another life left behind is found on the servers and put in order first.
#include "core/engine/engine.h"
#include "core/engine/recording_file.h"
#include "core/engine/teardown_steps.h"
#include "core/metrics/sampler.h"
#include "core/recording/reader.h"
#include "core/util/files.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {
namespace {

/// The greater epoch of the two rows, on a session that ends again.
Result<std::int64_t> knownEpoch(const Connector& connector, const Plan& plan) {
    std::int64_t epoch = 0;
    for (const Side side : {Side::Blue, Side::Green}) {
        auto session = connector.primary(side, plan.controlDatabase(), Millis(4000));
        if (!session) {
            continue;
        }
        const auto row = control::readDeployment(**session, plan.deployment);
        if (row.ok() && *row) {
            epoch = std::max(epoch, (*row)->epoch);
        }
    }
    return epoch;
}

/// From the last keyframe on, since clients may be waiting for an engine that was killed in a switch.
void restoreHub(EventHub& hub, RecordingReader& reader) {
    const Result<RecordingInfo> info = reader.info();
    Result<Snapshot> snapshot = info ? reader.snapshotAfter(info->records) : Result<Snapshot>(info.error());
    const Result<std::uint64_t> before = info ? reader.seqAt(info->durationUs - EventHub::RECENT_US) : Result<std::uint64_t>(0);
    if (!snapshot || !before) {
        return;
    }
    std::vector<Event> recent;
    static_cast<void>(reader.read(*before + 1, 0, [&](const Event& event) {
        recent.push_back(event);
        return true;
    }));
    hub.restore(std::move(*snapshot), recent);
}

} // namespace

Result<std::unique_ptr<Engine>> Engine::start(Options options) {
    if (const Status folder = makePrivateFolder(options.plan.engineFolder); !folder) {
        return folder.error();
    }
    bool goesOn = false;
    auto recording = openRecording(options.plan, options.recording, goesOn);
    if (!recording) {
        return recording.error();
    }
    const Connector first(options.plan, "tealdeck/" + options.plan.deployment + "/attach");
    const Result<std::int64_t> epoch = knownEpoch(first, options.plan);
    if (!epoch) {
        return epoch.error();
    }
    const std::string recordingId = (*recording)->meta().count("recording_id") != 0 ? (*recording)->meta().at("recording_id") : "";
    const std::filesystem::path recordingFile = (*recording)->path();
    const Connector connector(options.plan, fmt::format("tealdeck/{}/{}", options.plan.deployment, *epoch + 1));
    options.recording = recordingFile;
    auto engine = std::unique_ptr<Engine>(new Engine(std::move(options), connector, std::move(*recording), recordingId));
    engine->m_epoch = *epoch + 1;
    if (goesOn) {
        if (auto reader = RecordingReader::open(recordingFile); reader.ok()) {
            restoreHub(engine->m_hub, **reader);
            engine->m_alarms.adopt(engine->m_hub.snapshot().alarms);
        }
        static_cast<void>(engine->m_hub.publish(EventKind::Recovered, {{"text", "The engine started again on this deployment."}}));
    }
    if (const Status attached = engine->attach(); !attached) {
        return attached.error();
    }
    return engine;
}

Status Engine::attach() {
    const Snapshot s = m_hub.snapshot();
    const SessionInfo info{m_options.plan.deployment,
                           m_recordingId,
                           "live",
                           m_options.plan.databases,
                           m_options.plan.sha256,
                           m_epoch,
                           s.session.startedWallUs != 0 ? s.session.startedWallUs : Clock::system().wallUs(),
                           static_cast<double>(m_options.plan.cutover.budget.count())};
    if (const Status written = m_hub.publish(EventKind::Session, toJson(info)); !written) {
        return written;
    }
    static_cast<void>(m_hub.publish(EventKind::Step, {{"idle", true}}));
    auto lock = DriverLock::acquire(m_connector, m_options.plan.deployment, m_options.takeover, Millis(5000));
    if (lock) {
        m_lock = std::move(*lock);
    } else if (lock.error().kind == Error::Kind::Refused) {
        return lock.error();
    } else {
        m_hub.note("No driver's lock yet: " + lock.error().text());
    }
    m_sampler = std::make_unique<Sampler>(
        m_samplerConnector, [this] { return m_hub.nowUs(); },
        [this](EventKind kind, Json body) {
            static_cast<void>(m_hub.publish(kind, std::move(body)));
            if (kind == EventKind::Metrics) {
                lookAtAlarms();
                watchReads();
            }
        });
    m_sampler->watchDisk(m_options.recording.parent_path());
    m_sampler->setReadsTarget(readsShareNow());
    if (m_lock) {
        takeUpLate();
    } else if (const Status told = recover(); !told) {
        m_hub.note(told.error().text());
    }
    m_sampler->start();
    m_driver = std::thread([this] { drive(); });
    m_checker = std::thread([this] { keepChecklist(); });
    return {};
}

/// What an earlier life asked of the balancers, as they have it; 0 when there are none or they do not answer.
double Engine::readsShareNow() {
    double share = 0;
    for (const auto& balancer : m_balancers) {
        const Result<ObservedShare> observed = balancer->observedGreenShare(Millis(1000));
        share += observed.ok() ? observed->percent : 0;
    }
    return m_balancers.empty() ? 0 : share / static_cast<double>(m_balancers.size());
}

Phase Engine::phaseFor(Side production, const Situation& situation) const {
    const Phase known = m_hub.snapshot().phase; // as the servers' rows say, see recover()
    const bool moved = std::any_of(situation.databases.begin(), situation.databases.end(), [](const Situation::Database& d) {
        return (d.blue && d.blue->generation > 0) || (d.green && d.green->generation > 0);
    });
    if (production == Side::Green) {
        return Phase::Observe;
    }
    if (known == Phase::Cutover || known == Phase::Observe) {
        return moved ? Phase::RolledBack : Phase::Validate;
    }
    return known;
}

/// The epoch is on the servers before anything is done, so that an engine that was replaced finds itself replaced from then on.
Status Engine::claim(const Result<SideSessions>& blue, const Result<SideSessions>& green) {
    for (const Result<SideSessions>* side : {&blue, &green}) {
        if (!side->ok()) {
            continue;
        }
        const Connection& session = (*side)->control();
        const auto row = control::readDeployment((*side)->control(), m_options.plan.deployment);
        if (!row) {
            return row.error();
        }
        if (*row && (*row)->epoch == m_epoch && m_claimed) {
            continue;
        }
        const Result<bool> claimed = control::claimEpoch((*side)->control(), m_options.plan.deployment, m_options.holder, m_epoch);
        if (!claimed || !*claimed) {
            m_lock.reset();
            return claimed.ok() ? Status(Error{Error::Kind::Refused,
                                               fmt::format("{}: another engine drives this deployment.", session.label()),
                                               "Attach to that engine, or start this one again.",
                                               {}})
                                : Status(claimed.error());
        }
    }
    m_claimed = true;
    return {};
}

/// The lock, and what another life left behind in order. Whoever gets the lock late still has that to do.
Status Engine::takeUp() {
    if (!m_lock || !m_lock->held()) {
        m_lock.reset();
        auto lock = DriverLock::acquire(m_connector, m_options.plan.deployment, false, Millis(5000));
        if (!lock) {
            return lock.error();
        }
        m_lock = std::move(*lock);
    }
    if (m_recovered) {
        return {};
    }
    const Status recovered = recover();
    m_recovered = recovered.ok() && m_lock && m_lock->held();
    return recovered;
}

/// At the beginning of a life, and again until it succeeds.
void Engine::takeUpLate() {
    const Status status = takeUp();
    if (!status && status.error().text() != m_takeUpError) {
        m_takeUpError = status.error().text();
        m_hub.note("Not driving yet: " + m_takeUpError);
    }
}

/// Without the lock it tells the phase and leaves everything alone.
Status Engine::recover() {
    auto blue = SideSessions::open(m_connector, Side::Blue, Millis(5000));
    auto green = SideSessions::open(m_connector, Side::Green, Millis(5000)); // fails while its databases do not exist
    std::optional<DeploymentRow> row;
    for (const auto* side : {&blue, &green}) {
        if (!side->ok()) {
            continue;
        }
        const auto found = control::readDeployment((*side)->control(), m_options.plan.deployment);
        if (found.ok() && *found && (!row || (*found)->epoch >= row->epoch)) {
            row = **found;
        }
    }
    if (!row) {
        // Nothing on the servers. A recording that says otherwise is evidence, not truth (law 4).
        const Phase known = m_hub.snapshot().phase;
        if (known != Phase::Plan && known != Phase::Preflight && known != Phase::Aborted && known != Phase::Finalized && blue.ok()) {
            setPhase(Phase::Plan, "Nothing of this deployment is on the servers.");
        }
        return {};
    }
    if (row->phase == Phase::Finalized) {
        m_recovered = true; // nothing but the end itself is left to do
        return finishFinalize();
    }
    if (!m_lock) {
        setPhase(row->phase, "As the servers say; not driving.");
        return {};
    }
    setPhase(row->phase, "As the servers say.");
    if (const Status ours = claim(blue, green); !ours) {
        return ours;
    }
    Settler settler(m_connector, blue.ok() ? &*blue : nullptr, green.ok() ? &*green : nullptr, m_poolers, m_routers);
    const Result<Side> production = settler.settle(false, Millis(3000));
    if (!production) {
        return production.error();
    }
    const Situation now = settler.look();
    m_hub.note(fmt::format("Found: {}.", verdictName(settler.lastVerdict())));
    setPhase(phaseFor(*production, now), "As the servers say.");
    const Phase phase = m_hub.snapshot().phase;
    if (const Status tail = finishTail(*production, false); !tail) {
        m_hub.note(tail.error().text());
        // Before the first switch GREEN may lack the databases, and owes nothing.
        if (phase == Phase::Observe || phase == Phase::RolledBack) {
            oweTail(*production, tail.error());
        }
    }
    publishFences();
    if (phase != Phase::Replicate && phase != Phase::Plan && phase != Phase::Preflight) {
        m_sampler->setHeartbeat(*production);
    }
    return persistPhase(phase);
}

/// The row says that finalizing was confirmed and begun, not that it ended: what is left on the servers is removed now (law 4).
Status Engine::finishFinalize() {
    const Result<bool> left = isLeftToFinalize(m_connector);
    if (!left || !*left) {
        // BLUE's servers may be gone by now: that is what finalizing allows.
        setPhase(Phase::Finalized, left.ok() ? "GREEN is production for good."
                                             : "GREEN is production for good. Not everything could be asked: " + left.error().text());
        return {};
    }
    setPhase(Phase::Observe, "Finalizing was begun and has not ended.");
    m_hub.note("Finishing a finalize that another life of the engine began.");
    return runFinalize();
}

} // namespace tealdeck
