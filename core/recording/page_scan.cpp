// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/page_scan.h"

#include "core/recording/schema.h"
#include "core/util/text.h"

#include <algorithm>
#include <cstring>

namespace tealdeck {
namespace {

constexpr std::size_t PAGE = schema::PAGE_SIZE;
constexpr unsigned char TABLE_LEAF = 0x0D;
constexpr unsigned char INDEX_LEAF = 0x0A;
constexpr std::size_t LOG_HEADER = 32;
constexpr std::size_t FRAME_HEADER = 24;
constexpr std::size_t MAX_CELLS = 8; ///< tried for one record
constexpr std::size_t MAX_PAYLOAD = schema::MAX_BODY + 4096;

std::uint32_t bigEndian(std::string_view bytes, std::size_t at, std::size_t count) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        value = (value << 8) | static_cast<unsigned char>(bytes[at + i]);
    }
    return value;
}

/// SQLite's own varint: up to nine bytes, the highest first. Moves `at` behind it.
std::optional<std::uint64_t> varint(std::string_view bytes, std::size_t& at) {
    std::uint64_t value = 0;
    for (int i = 0; i < 9 && at < bytes.size(); ++i) {
        const auto byte = static_cast<unsigned char>(bytes[at++]);
        if (i == 8) {
            return (value << 8) | byte;
        }
        value = (value << 7) | (byte & 0x7F);
        if ((byte & 0x80) == 0) {
            return value;
        }
    }
    return std::nullopt;
}

/// How many bytes of a payload are in the cell itself; the rest is on overflow pages.
std::size_t localBytes(std::uint64_t payload, bool isIndex) {
    const std::size_t most = isIndex ? (PAGE - 12) * 64 / 255 - 23 : PAGE - 35;
    const std::size_t least = (PAGE - 12) * 32 / 255 - 23;
    if (payload <= most) {
        return static_cast<std::size_t>(payload);
    }
    const std::size_t fitting = least + static_cast<std::size_t>((payload - least) % (PAGE - 4));
    return fitting <= most ? fitting : least;
}

std::optional<std::size_t> sizeOf(std::uint64_t type) {
    constexpr std::array<std::size_t, 10> SIZES{0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
    if (type < SIZES.size()) {
        return SIZES[static_cast<std::size_t>(type)];
    }
    return type < 12 || type > 2 * MAX_PAYLOAD + 13 ? std::nullopt : std::optional(static_cast<std::size_t>((type - 12) / 2));
}

bool isBlob(std::uint64_t type) {
    return type >= 12 && type % 2 == 0;
}

} // namespace

PageScan::PageScan(std::string_view file, std::string_view log) : m_file(file) {
    readLog(log);
    // The first page holds the header and the schema only.
    for (std::size_t at = PAGE; at + PAGE <= file.size(); at += PAGE) {
        scanPage(file.substr(at, PAGE));
    }
    for (const auto& [number, bytes] : m_logPages) {
        if (number > 1) {
            scanPage(bytes);
        }
    }
}

void PageScan::readLog(std::string_view log) {
    if (log.size() < LOG_HEADER || (bigEndian(log, 0, 4) & ~1U) != 0x377F0682U) {
        return;
    }
    const std::string_view salts = log.substr(16, 8);
    for (std::size_t at = LOG_HEADER; at + FRAME_HEADER + PAGE <= log.size(); at += FRAME_HEADER + PAGE) {
        // Behind the frames of this generation lie those of an earlier one.
        if (log.substr(at + 8, 8) != salts) {
            return;
        }
        m_logPages[bigEndian(log, at, 4)] = log.substr(at + FRAME_HEADER, PAGE);
    }
}

void PageScan::scanPage(std::string_view page) {
    const auto kind = static_cast<unsigned char>(page[0]);
    if (kind != TABLE_LEAF && kind != INDEX_LEAF) {
        return;
    }
    const std::size_t cells = bigEndian(page, 3, 2);
    for (std::size_t i = 0; i < cells && 8 + 2 * i + 2 <= PAGE; ++i) {
        const std::size_t at = bigEndian(page, 8 + 2 * i, 2);
        if (at >= 8 && at < PAGE) {
            keep(page, at, kind == INDEX_LEAF);
        }
    }
}

/// Sorts a cell by the number of its row, or as one of meta.
void PageScan::keep(std::string_view page, std::size_t at, bool isIndex) {
    std::size_t behind = at;
    const auto length = varint(page, behind);
    if (!length || *length == 0 || *length > MAX_PAYLOAD) {
        return;
    }
    constexpr std::size_t MAX_META_CELL = schema::MAX_NAME + schema::MAX_VALUE + 100;
    constexpr std::size_t MAX_ACTOR_CELL = schema::MAX_NAME + 100;
    if (isIndex && *length > MAX_META_CELL) {
        return;
    }
    if (isIndex) {
        m_metaCells.push_back({page, at});
        return;
    }
    const auto rowid = varint(page, behind);
    const auto headerSize = rowid && behind < PAGE ? varint(page, behind) : std::nullopt;
    if (!headerSize || static_cast<std::int64_t>(*rowid) < 1) {
        return;
    }
    // A record has nine columns and so ten bytes of header at least; an actor has two or four columns.
    if (*headerSize >= 10) {
        std::vector<Cell>& cells = m_records[*rowid];
        cells.push_back({page, at});
    } else if (*length <= MAX_ACTOR_CELL) {
        m_actorCells.emplace_back(static_cast<std::int64_t>(*rowid), Cell{page, at});
    }
}

std::string_view PageScan::page(std::uint32_t number, bool logFirst) const {
    const auto logged = m_logPages.find(number);
    const std::size_t at = number == 0 ? m_file.size() : (std::size_t{number} - 1) * PAGE;
    const std::string_view stored = at + PAGE <= m_file.size() ? m_file.substr(at, PAGE) : std::string_view();
    if (logged != m_logPages.end() && (logFirst || stored.empty())) {
        return logged->second;
    }
    return stored;
}

std::optional<std::string> PageScan::payload(const Cell& cell, bool isIndex, bool logFirst) const {
    std::size_t at = cell.at;
    const std::uint64_t length = varint(cell.page, at).value_or(0);
    if (!isIndex && !varint(cell.page, at)) {
        return std::nullopt;
    }
    const std::size_t local = localBytes(length, isIndex);
    const bool overflows = local < length;
    if (at + local + (overflows ? 4 : 0) > PAGE) {
        return std::nullopt;
    }
    std::string bytes(cell.page.substr(at, local));
    std::uint32_t next = overflows ? bigEndian(cell.page, at + local, 4) : 0;
    while (bytes.size() < length) {
        const std::string_view more = page(next, logFirst);
        if (more.empty()) {
            return std::nullopt;
        }
        bytes.append(more.substr(4, static_cast<std::size_t>(std::min<std::uint64_t>(PAGE - 4, length - bytes.size()))));
        next = bigEndian(more, 0, 4);
    }
    return bytes;
}

std::optional<std::vector<PageScan::Column>> PageScan::columns(std::string_view payload) {
    std::size_t at = 0;
    const auto headerSize = varint(payload, at);
    if (!headerSize || *headerSize > payload.size() || *headerSize > 100) {
        return std::nullopt;
    }
    std::vector<Column> row;
    std::size_t body = static_cast<std::size_t>(*headerSize);
    while (at < *headerSize) {
        const auto type = varint(payload, at);
        const auto size = type ? sizeOf(*type) : std::nullopt;
        if (!size || *size > payload.size() - body) {
            return std::nullopt;
        }
        row.push_back({*type, payload.substr(body, *size)});
        body += *size;
    }
    return row;
}

namespace {

std::optional<std::int64_t> integerOf(std::uint64_t type, std::string_view bytes) {
    if (type == 8 || type == 9) {
        return static_cast<std::int64_t>(type) - 8;
    }
    if (type < 1 || type > 6) {
        return std::nullopt;
    }
    std::uint64_t value = (static_cast<unsigned char>(bytes[0]) & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (const char byte : bytes) {
        value = (value << 8) | static_cast<unsigned char>(byte);
    }
    return static_cast<std::int64_t>(value);
}

template <std::size_t N>
bool takeBlob(std::uint64_t type, std::string_view bytes, std::array<unsigned char, N>& into) {
    if (!isBlob(type) || bytes.size() != N) {
        return false;
    }
    std::memcpy(into.data(), bytes.data(), N);
    return true;
}

} // namespace

std::optional<StoredText> PageScan::textOf(const std::vector<Column>& row, std::size_t first, std::uint32_t version, std::size_t max) {
    const auto isText = [&](const Column& column) {
        return column.type >= 13 && column.type % 2 == 1 && column.bytes.size() <= max && isUtf8(column.bytes);
    };
    StoredText stored;
    if (row.size() != (version == 1 ? first + 1 : first + 3)) {
        return std::nullopt;
    }
    if (isText(row[first])) {
        stored.text = std::string(row[first].bytes);
    }
    if (version == 1) {
        return stored.text ? std::optional(stored) : std::nullopt;
    }
    chain::Salt salt{};
    if (stored.text && takeBlob(row[first + 1].type, row[first + 1].bytes, salt)) {
        stored.salt = salt;
        stored.leaf = chain::textLeaf(salt, *stored.text);
        return stored;
    }
    return !stored.text && takeBlob(row[first + 2].type, row[first + 2].bytes, stored.leaf) ? std::optional(stored) : std::nullopt;
}

std::optional<std::uint32_t> PageScan::version() const {
    const auto logged = m_logPages.find(1);
    const std::string_view first = logged != m_logPages.end() ? logged->second : m_file.substr(0, std::min(PAGE, m_file.size()));
    if (first.size() < 100 || bigEndian(first, 68, 4) != schema::APPLICATION_ID) {
        return std::nullopt;
    }
    return bigEndian(first, 60, 4);
}

Identity PageScan::identity(std::uint32_t version, bool last) const {
    Identity identity;
    identity.version = version;
    for (const Cell& cell : m_metaCells) {
        const auto bytes = payload(cell, true, last);
        const auto row = bytes ? columns(*bytes) : std::nullopt;
        const bool shaped = row && row->size() >= 2 && (*row)[0].type >= 13 && (*row)[0].type % 2 == 1 && isUtf8((*row)[0].bytes);
        const auto value = shaped ? textOf(*row, 1, version, schema::MAX_VALUE) : std::nullopt;
        const std::string key = value ? std::string((*row)[0].bytes) : "";
        if (value && key.size() <= schema::MAX_NAME && (last || identity.meta.count(key) == 0) && identity.meta.size() < schema::MAX_META) {
            identity.meta[key] = *value;
        }
    }
    for (const auto& [id, cell] : m_actorCells) {
        const auto bytes = payload(cell, false, last);
        const auto row = bytes ? columns(*bytes) : std::nullopt;
        const auto name = row && !row->empty() && (*row)[0].type == 0 ? textOf(*row, 1, version, schema::MAX_NAME) : std::nullopt;
        if (name && (last || identity.actors.count(id) == 0) && identity.actors.size() < schema::MAX_ACTORS) {
            identity.actors[id] = *name;
        }
    }
    return identity;
}

std::size_t PageScan::countAfter(std::uint64_t seq) const {
    return static_cast<std::size_t>(std::distance(m_records.upper_bound(seq), m_records.end()));
}

bool PageScan::tryRecords(std::uint64_t seq, std::uint32_t version, const std::function<bool(const StoredRecord&)>& take) const {
    const auto cells = m_records.find(seq);
    std::size_t tries = 0;
    // Pages of the log were found last and are newer.
    for (std::size_t i = cells == m_records.end() ? 0 : cells->second.size(); i > 0 && tries < MAX_CELLS; --i, ++tries) {
        for (const bool logFirst : {true, false}) {
            const auto bytes = payload(cells->second[i - 1], false, logFirst);
            const auto row = bytes ? columns(*bytes) : std::nullopt;
            if (!row || row->size() != 9 || (*row)[0].type != 0) {
                continue;
            }
            StoredRecord record;
            record.seq = seq;
            std::array<std::int64_t*, 4> numbers{&record.steadyUs, &record.wallUs, &record.kind, &record.actor};
            bool fine = takeBlob((*row)[8].type, (*row)[8].bytes, record.hash);
            for (std::size_t n = 0; n < numbers.size(); ++n) {
                const auto number = integerOf((*row)[n + 1].type, (*row)[n + 1].bytes);
                fine = fine && number;
                *numbers[n] = number.value_or(0);
            }
            chain::Salt salt{};
            if (fine && isBlob((*row)[6].type) && takeBlob((*row)[5].type, (*row)[5].bytes, salt)) {
                record.salt = salt;
                record.body = (*row)[6].bytes;
            }
            const bool leafStored = takeBlob((*row)[7].type, (*row)[7].bytes, record.leaf);
            if (record.body && version > 1) {
                record.leaf = chain::leaf(salt, *record.body);
            }
            fine = fine && (record.body ? version > 1 || leafStored : leafStored);
            if (fine && (!record.body || record.body->size() <= schema::MAX_BODY) && take(record)) {
                return true;
            }
        }
    }
    return false;
}

} // namespace tealdeck
