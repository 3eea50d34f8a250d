// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"
#include "widgets/facts/fact_model.h"
#include "widgets/theme/format.h"
#include "widgets/theme/tokens.h"

namespace tealdeck {

/// The sheet of one server: everything that is known of it, with its age. Empty when the snapshot has no such server.
std::vector<Fact> nodeFacts(const Snapshot& snapshot, Env env, const std::string& node, const ViewTime& now);

} // namespace tealdeck
