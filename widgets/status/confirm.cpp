// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/status/confirm.h"

#include <algorithm>

namespace tealdeck {

void HoldState::press() {
    m_pressed = true;
    m_heldUs = 0;
    m_lastUs = m_clock.steadyUs();
}

bool HoldState::tick() {
    if (!m_pressed) {
        return false;
    }
    const std::int64_t now = m_clock.steadyUs();
    m_heldUs += std::min(now - m_lastUs, LONGEST_STEP_US);
    m_lastUs = now;
    if (m_heldUs < m_neededUs) {
        return false;
    }
    cancel();
    return true;
}

void ArmState::arm(std::uint64_t gateSeq) {
    m_armed = true;
    m_gateSeq = gateSeq;
    m_sinceUs = m_clock.steadyUs();
}

std::int64_t ArmState::leftUs() const { return m_armed ? std::max<std::int64_t>(0, m_sinceUs + VALID_US - m_clock.steadyUs()) : 0; }

} // namespace tealdeck
