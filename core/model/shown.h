// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/event.h"
#include "core/model/snapshot.h"

#include <optional>
#include <string>
#include <utility>

namespace tealdeck {

/// What the console tells of itself, so that a reviewer sees what the operator saw. It travels as the arguments of a command Note, which is
/// word-like and never refused, and becomes a record of its own kind instead of a note:
///
///   {"shown": "prompt", "text", "command", "gates": [{"text", "value", "age_s"}], "armed_ms"}  → Prompt: the exact words of what was armed
///                                                                                              or pressed; armed_ms: how long it stays so
///   {"shown": "answer", "text", "withdrawn"}                                                   → Answer: confirmed, expired, put aside
///   {"shown": "answer", "text", "withdrawn", "hold": {"state", "needed_ms", "held_ms"}}        → Answer: a hold "begun", "released" before
///                                                                                              its end, or "complete"
///   {"shown": "view", "page"}                                                                  → ViewChange
///
/// std::nullopt for the arguments of an ordinary note. Texts are cut at 2000 characters, gates at 50, other members dropped.
std::optional<std::pair<EventKind, Json>> shownEvent(const Json& args);

/// What decides about a move and stands beside the question: {"text", "value", "age_s"} each; age_s null: it is no matter of time.
Json gatesShown(const Snapshot& snapshot, std::int64_t steadyUs);

} // namespace tealdeck
