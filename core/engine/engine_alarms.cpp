// SPDX-License-Identifier: GPL-3.0-or-later
// Alarms, and the words of an operator that take effect at once.
#include "core/engine/engine.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr int LONGEST_SHELF_MINUTES = 480; ///< a shift; what has to be quiet for longer is a wrong limit in the plan

} // namespace

void Engine::lookAtAlarms() {
    const std::lock_guard lock(m_alarmMutex);
    for (const AlarmState& alarm : m_alarms.look(m_hub.snapshot(), m_hub.nowUs(), Clock::system().wallUs())) {
        static_cast<void>(m_hub.publish(EventKind::Alarm, toJson(alarm)));
    }
}

Status Engine::runWord(const Command& command) {
    if (command.kind == CommandKind::Continue) {
        const std::lock_guard lock(m_mutex);
        m_goOn = true;
        return {};
    }
    if (command.kind == CommandKind::Stop) {
        m_cancel = true;
        return {};
    }
    if (command.kind == CommandKind::PauseCopy) {
        m_copyControl->pause(command.actor);
        return {};
    }
    if (command.kind == CommandKind::ResumeCopy) {
        m_copyControl->resume();
        return {};
    }
    if (command.kind == CommandKind::CancelCopy) {
        m_copyControl->stop();
        return {};
    }
    if (command.kind == CommandKind::Shelve) {
        return shelve(command);
    }
    const std::lock_guard lock(m_alarmMutex);
    const Result<AlarmState> alarm = m_alarms.acknowledge(member<std::string>(command.args, "alarm", ""), command.actor);
    return alarm.ok() ? m_hub.publish(EventKind::Alarm, toJson(*alarm), command.actor) : Status(alarm.error());
}

Status Engine::shelve(const Command& command) {
    const int minutes = member<int>(command.args, "minutes", 0);
    const std::string reason = member<std::string>(command.args, "reason", "");
    if (minutes < 1 || minutes > LONGEST_SHELF_MINUTES || reason.empty()) {
        return Error{Error::Kind::Invalid,
                     "An alarm is shelved for a time and with a reason.",
                     fmt::format("Give 1 to {} minutes and say why.", LONGEST_SHELF_MINUTES),
                     {}};
    }
    const std::lock_guard lock(m_alarmMutex);
    const Result<AlarmState> alarm = m_alarms.shelve(member<std::string>(command.args, "alarm", ""), command.actor, reason,
                                                     m_hub.nowUs() + std::int64_t{minutes} * 60'000'000);
    return alarm.ok() ? m_hub.publish(EventKind::Alarm, toJson(*alarm), command.actor) : Status(alarm.error());
}

} // namespace tealdeck
