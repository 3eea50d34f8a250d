// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/review/integrity.h"

#include "core/util/text.h"

#include <fmt/format.h>

namespace tealdeck::review {

const char* integrityName(Integrity::State state) {
    switch (state) {
    case Integrity::State::Verified:
        return "verified";
    case Integrity::State::Open:
        return "open";
    case Integrity::State::Salvaged:
        return "salvaged";
    case Integrity::State::Broken:
        return "broken";
    case Integrity::State::Damaged:
        return "damaged";
    case Integrity::State::Unverified:
        return "unverified";
    }
    return "";
}

Integrity integrityOf(const Result<VerifyReport>& verified, const RecordingInfo& info, std::uint64_t lastSeal) {
    using S = Integrity::State;
    if (!verified) {
        return {S::Unverified, "NOT VERIFIED", "The chain could not be checked: " + plainText(verified.error().text())};
    }
    if (verified->brokenAtSeq != 0) {
        return {S::Broken, fmt::format("BROKEN at record {}", verified->brokenAtSeq),
                fmt::format("The chain breaks at record {}: {}. What is shown ends before it.", verified->brokenAtSeq,
                            plainText(verified->reason))};
    }
    if (!verified->ok) {
        return {S::Damaged, "FILE DAMAGED", "The records follow from one another, but " + plainText(verified->reason) + "."};
    }
    const std::string redacted =
        verified->redacted == 0 ? "" : fmt::format(" {} of them were redacted; their hashes stayed.", verified->redacted);
    if (!info.salvaged.empty()) {
        return {S::Salvaged, "SALVAGED",
                fmt::format("What is here is sound ({} records), but a part is lost: {}{}", verified->records, plainText(info.salvaged),
                            redacted)};
    }
    if (!info.closed) {
        return {S::Open, fmt::format("NOT FINISHED after seal {}", lastSeal),
                fmt::format("All {} records follow from one another, but the recording was not finished: behind its last seal (record {}) "
                            "nothing proves that no "
                            "records are missing.{}",
                            verified->records, lastSeal, redacted)};
    }
    return {
        S::Verified, "VERIFIED",
        fmt::format("All {} records follow from one another, up to the seal that finished the recording.{}", verified->records, redacted)};
}

} // namespace tealdeck::review
