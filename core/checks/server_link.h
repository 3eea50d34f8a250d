// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/checks/check.h"

namespace tealdeck {

/// Has the subject's primary connect to the other side's primary with the plan's [replication], in a CREATE SUBSCRIPTION that is rolled
/// back and leaves nothing behind. Fail with the server's own words when it can't; Unknown when it can't be asked.
CheckAnswer serverReachesOther(const CheckSubject& subject);

} // namespace tealdeck
