// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/recording/reader.h"

#include <string>

namespace tealdeck::review {

/// Whether one may believe a recording.
struct Integrity {
    enum class State {
        Verified,  ///< sound and finished
        Open,      ///< sound, but it does not end with the closing seal: it is being written, or its end is missing
        Salvaged,  ///< sound, and the rest of what it was is lost
        Broken,    ///< a record does not follow from the one before it
        Damaged,   ///< the file itself
        Unverified ///< it could not be checked
    };
    State state = State::Unverified;
    std::string word;     ///< "VERIFIED", "BROKEN at record 7"
    std::string sentence; ///< for people, plain text
    [[nodiscard]] bool good() const { return state == State::Verified || state == State::Salvaged || state == State::Open; }
};
const char* integrityName(Integrity::State state);

/// lastSeal: the seq of the last seal that was read; 0: none.
Integrity integrityOf(const Result<VerifyReport>& verified, const RecordingInfo& info, std::uint64_t lastSeal);

} // namespace tealdeck::review
