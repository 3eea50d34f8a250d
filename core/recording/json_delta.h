// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/json.h"

#include <optional>

namespace tealdeck {

/// What turns `base` into `now`: null when they are equal, else one of
///   {"v": now}                           something else entirely
///   {"o": {key: delta…}, "r": [key…]}    an object: members that changed or came, members that went
///   {"a": {"index": delta…}}             a list of the same length: elements that changed
Json jsonDelta(const Json& base, const Json& now);

/// std::nullopt when the delta does not fit the base: it may come from any file.
std::optional<Json> jsonPatched(const Json& base, const Json& delta);

} // namespace tealdeck
