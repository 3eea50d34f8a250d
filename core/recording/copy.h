// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/recording/stored.h"

#include <filesystem>
#include <memory>

namespace tealdeck {

/// Writes records as they are stored into a new file (0600, never over an existing one): what salvage and redaction give. The file
/// has no derived tables' rows and no free pages, so that nothing is in it but what was added.
class RecordingCopy {
  public:
    static Result<std::unique_ptr<RecordingCopy>> create(const std::filesystem::path& path, const Identity& identity);
    /// Takes the file away again unless done() was called.
    ~RecordingCopy();
    RecordingCopy(const RecordingCopy&) = delete;
    RecordingCopy& operator=(const RecordingCopy&) = delete;

    Status add(const StoredRecord& record);
    /// Everything is on disk and the file closed.
    Status done();

  private:
    RecordingCopy(std::filesystem::path path, std::uint32_t version) : m_path(std::move(path)), m_version(version) {}
    Status open(const Identity& identity);
    std::filesystem::path m_path;
    std::uint32_t m_version;
    std::unique_ptr<Database> m_database;
    Statement m_insert;
    bool m_done = false;
};

} // namespace tealdeck
