// SPDX-License-Identifier: GPL-3.0-or-later
// What the engine knows and tells: phases, fences, traffic, checklist.
#include "core/engine/engine.h"
#include "core/metrics/sampler.h"

#include <fmt/format.h>

namespace tealdeck {

Direction Engine::activeDirection() const {
    return m_hub.snapshot().phase == Phase::Observe ? Direction::Reverse : Direction::Forward;
}

void Engine::setPhase(Phase phase, const std::string& reason, bool past) {
    Json body = {{"phase", phaseName(phase)}, {"reason", reason}, {"past_point_of_no_return", past}};
    if (phase == Phase::Observe && m_hub.snapshot().phase != Phase::Observe) {
        body["rollback_until_wall_us"] = Clock::system().wallUs() + static_cast<std::int64_t>(m_options.plan.rollbackWindowHours * 3600e6);
    }
    if (phase != Phase::Observe && phase != Phase::Cutover) {
        body["rollback_until_wall_us"] = 0;
    }
    body["rollback_readiness"] = phase == Phase::Observe && m_owedTail ? "BLUE does not follow yet: no way back until it does."
                                 : phase == Phase::Observe   ? "BLUE follows GREEN: a rollback loses nothing while that feed lives."
                                 : phase == Phase::Finalized ? "The rollback window is closed."
                                                             : "BLUE is production.";
    static_cast<void>(m_hub.publish(EventKind::Phase, std::move(body)));
    // While another life's work is taken up, recover() itself writes what it found, after it has claimed the epoch.
    const bool durable = m_recovered && (phase == Phase::Validate || phase == Phase::Ramp);
    if (durable) {
        static_cast<void>(persistPhase(phase));
    }
}

Status Engine::persistPhase(Phase phase) {
    const DeploymentRow row{m_epoch, phase, m_options.plan.sha256, m_recordingId, Json::object()};
    Status status;
    for (const Side side : {Side::Blue, Side::Green}) {
        auto session = m_connector.primary(side, m_options.plan.controlDatabase());
        // Green has no control tables before the copy, and none again after the end.
        if (!session) {
            status = side == Side::Blue && phase != Phase::Finalized ? Status(session.error()) : status;
            continue;
        }
        const auto known = (*session)->query("select to_regclass('tealdeck.deployment') is not null");
        if (!known || known->text(0, 0) != "t") {
            continue;
        }
        if (const Status written = control::writeDeployment(**session, m_options.plan.deployment, m_options.holder, row, m_hub.headHash());
            !written) {
            status = written;
        }
    }
    return status;
}

void Engine::publishFences() {
    for (const Side side : {Side::Blue, Side::Green}) {
        std::string state = "unknown";
        std::string detail;
        auto sessions = SideSessions::open(m_connector, side, Millis(3000));
        if (sessions) {
            int open = 0;
            int closed = 0;
            int none = 0;
            for (std::size_t i = 0; i < sessions->size(); ++i) {
                const Result<SideRow> row = control::readSide((*sessions)[i]);
                const auto logins = control::readSaved((*sessions)[i], "connect");
                if (!row) {
                    detail = row.error().message;
                    continue;
                }
                none += row->role == SideRole::None ? 1 : 0;
                (row->role == SideRole::None || (row->role == SideRole::Primary && logins.ok() && !*logins) ? open : closed) += 1;
            }
            const int count = static_cast<int>(sessions->size());
            state = none == count     ? (side == Side::Blue || m_hub.snapshot().phase == Phase::Finalized ? "open" : "unknown")
                    : open == count   ? "open"
                    : closed == count ? "fenced"
                                      : "unknown";
        } else {
            detail = sessions.error().message;
        }
        static_cast<void>(m_hub.publish(EventKind::Fence, {{"side", sideName(side)}, {"state", state}, {"detail", detail}}));
    }
}

void Engine::publishTraffic() {
    m_sampler->sampleTrafficSoon();
}

} // namespace tealdeck
