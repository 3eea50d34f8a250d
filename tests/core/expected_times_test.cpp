// SPDX-License-Identifier: GPL-3.0-or-later
// How long a step usually takes: the median over the recordings of a folder, whatever else lies there.
#include "core/engine/expected_times.h"
#include "core/recording/writer.h"
#include "core/util/files.h"

#include <gtest/gtest.h>

namespace tealdeck {
namespace {

TEST(ExpectedTimes, areTheMedianOfWhatWentWell) {
    const std::filesystem::path folder = std::filesystem::temp_directory_path() / ("tealdeck-times-" + randomHex(6));
    EXPECT_TRUE(expectedTimes(folder).empty()) << "there is no such folder yet";
    for (int file = 0; file < 3; ++file) {
        auto writer = RecordingWriter::create(folder / ("r" + std::to_string(file) + ".teal"), {{"recording_id", "1"}});
        ASSERT_TRUE(writer.ok());
        std::uint64_t seq = 0;
        const auto outcome = [&](const char* step, bool ok, double ms) {
            ASSERT_TRUE((*writer)->append({++seq, 0, 0, EventKind::Outcome, "engine", {{"step", step}, {"ok", ok}, {"ms", ms}}}).ok());
        };
        outcome("replicate.copy", true, 1000 + file * 500.0);
        outcome("replicate.copy", false, 9'000'000);
        if (file < 2) {
            outcome("cutover.gate", true, file == 0 ? 100 : 300);
        }
    }
    ASSERT_TRUE(writeFileAtomically(folder / "broken.teal", "no recording").ok());
    const std::map<std::string, double> times = expectedTimes(folder);
    EXPECT_EQ(times, (std::map<std::string, double>{{"replicate.copy", 1500}, {"cutover.gate", 200}}));
    std::filesystem::remove_all(folder);
}

} // namespace
} // namespace tealdeck
