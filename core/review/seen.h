// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/review/measures.h"

namespace tealdeck::review {

/// What stood before the eyes of each operator at a time of the recording, and how far a hand had come: page, prompt word by word with the
/// gates beside it, how long it stays armed, the hold. A sentence each, plain; empty: no console had told anything until then.
std::vector<std::string> shownAt(const Bounded<Seen>& seen, std::int64_t steadyUs);

} // namespace tealdeck::review
