// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/copy.h"

#include "core/recording/finish.h"
#include "core/util/files.h"
#include "core/util/text.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

namespace tealdeck {

Result<std::unique_ptr<RecordingCopy>> RecordingCopy::create(const std::filesystem::path& path, const Identity& identity) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return Error{Error::Kind::Invalid,
                     fmt::format("Cannot make {}: {}.", plainText(path.string(), 200), systemReason(errno)),
                     "Give the name of a file that is not there yet, in a folder that is.",
                     {}};
    }
    ::close(fd);
    std::unique_ptr<RecordingCopy> copy(new RecordingCopy(path, identity.version));
    if (Status opened = copy->open(identity); !opened) {
        return opened.error();
    }
    return copy;
}

Status RecordingCopy::open(const Identity& identity) {
    Result<std::unique_ptr<Database>> opened = Database::open(m_path.string(), SQLITE_OPEN_READWRITE, plainText(m_path.string(), 200));
    if (!opened) {
        return opened.error();
    }
    m_database = std::move(opened).value();
    // Until it is done the file is worth nothing: no journal, and one flush at the end.
    Status made = m_database->exec("PRAGMA page_size=4096; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF");
    made = made ? beginTables(*m_database, m_version) : made;
    made = made ? insertMeta(*m_database, identity) : made;
    for (const auto& [id, name] : identity.actors) {
        made = made ? insertActor(*m_database, m_version, id, name) : made;
    }
    Result<Statement> insert = made ? m_database->prepare(INSERT_RECORD) : Result<Statement>(made.error());
    if (!insert) {
        return insert.error();
    }
    m_insert = std::move(insert).value();
    return {};
}

RecordingCopy::~RecordingCopy() {
    m_insert = Statement();
    m_database.reset();
    if (!m_done) {
        ::unlink(m_path.c_str());
    }
}

Status RecordingCopy::add(const StoredRecord& record) {
    return insertRecord(*m_database, m_insert, m_version, record);
}

Status RecordingCopy::done() {
    m_insert = Statement();
    if (Status committed = m_database->exec("COMMIT"); !committed) {
        return committed;
    }
    m_database.reset();
    const int fd = ::open(m_path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    const bool flushed = fd >= 0 && ::fsync(fd) == 0;
    const int reason = errno;
    if (fd >= 0) {
        ::close(fd);
    }
    if (!flushed) {
        return Error{
            Error::Kind::Unavailable, fmt::format("Cannot flush {}: {}.", plainText(m_path.string(), 200), systemReason(reason)), {}, {}};
    }
    m_done = true;
    return syncFolderOf(m_path);
}

} // namespace tealdeck
