// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/plan/plan.h"
#include "core/recording/writer.h"

#include <filesystem>
#include <memory>

namespace tealdeck {

/// The recording that this deployment writes or wrote last, as current.json in the engine's folder says; empty: none yet.
std::filesystem::path recordingInUse(const Plan& plan);

/// Whether a new recording may be made there: an absolute path that ends in .teal, in a folder that exists, belongs to this user or root
/// and that nobody else may write to, and no file yet. Errors name the path and the remedy.
Status mayRecordAt(const std::filesystem::path& file);

/// Whether the operator's choice agrees with what is: an unfinished recording is gone on with, and no other one is begun beside it.
Status agreesWithRecording(const Plan& plan, const std::filesystem::path& wanted);

/// The unfinished recording of an earlier life (goesOn), or a new one: where it is wanted, or in the engine's folder when `wanted` is
/// empty. The file is made 0600.
Result<std::unique_ptr<RecordingWriter>> openRecording(const Plan& plan, const std::filesystem::path& wanted, bool& goesOn);

} // namespace tealdeck
