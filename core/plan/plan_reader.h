// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/result.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <toml++/toml.h>
#include <vector>

namespace tealdeck {

/// What one file says wrongly. Only the first is kept: later ones are often its consequence.
class PlanProblems {
  public:
    explicit PlanProblems(std::string file) : m_file(std::move(file)) {}
    /// "FILE:LINE: KEY RULE." and how to mend it. Line 0: the file as a whole.
    void add(std::uint32_t line, const std::string& key, const std::string& rule, const std::string& remedy);
    [[nodiscard]] const std::optional<Error>& first() const { return m_first; }

  private:
    std::string m_file;
    std::optional<Error> m_first;
};

/// What a text may be.
enum class TextRule {
    Free,       ///< any text without control characters
    Word,       ///< a-z, 0-9, _ and -, at most 32
    Deployment, ///< a-z, 0-9 and _, at most 32: it becomes part of replication slot names
    Database,   ///< a PostgreSQL name: 1 to 63 bytes
    Host,       ///< a host name, an address, or the folder of a Unix socket
    SslMode,    ///< one of libpq's sslmode words
    RouterName, ///< HAProxy's names: letters, digits, - _ . :
    Path,       ///< a file or folder; a relative one is taken from the plan's folder
    AbsolutePath,
    HookProgram, ///< an absolute path on this machine
    Program,     ///< a program's name for PATH, or a path
    HttpAddress  ///< http://HOST or http://HOST:PORT, nothing behind it
};

/// One table of the file: hands out values, remembers which keys were known, reports everything else.
class PlanTable {
  public:
    /// An absent table (nullptr) has only absent keys; `line` is where a missing key is reported.
    PlanTable(const toml::table* table, std::string path, std::uint32_t line, const std::filesystem::path& folder, PlanProblems& problems);

    /// The text; the fallback when the key is not there; without a fallback a missing key is a problem.
    std::string text(const char* key, TextRule rule, const std::optional<std::string>& fallback = std::nullopt);
    std::int64_t whole(const char* key, std::int64_t low, std::int64_t high, std::optional<std::int64_t> fallback = std::nullopt);
    double number(const char* key, double low, double high, double fallback);
    bool truth(const char* key, bool fallback);
    /// Texts without duplicates; at least one when `required`.
    std::vector<std::string> texts(const char* key, TextRule rule, bool required);
    std::vector<int> wholes(const char* key, int low, int high, std::vector<int> fallback);
    /// Texts as they are written, also twice; at most 100.
    std::vector<std::string> textsInOrder(const char* key, TextRule rule);
    PlanTable table(const char* key, bool required);
    /// The tables of [[key]]; none when it is not there.
    std::vector<PlanTable> tables(const char* key);
    /// Call last: every key that was not asked for is a problem.
    void refuseOtherKeys();

    [[nodiscard]] bool present() const { return m_table != nullptr; }
    /// Line of the key, or of the table when the key is not there.
    [[nodiscard]] std::uint32_t lineOf(const char* key) const;
    [[nodiscard]] std::string pathOf(const std::string& key) const { return m_path.empty() ? key : m_path + "." + key; }
    void problem(const char* key, const std::string& rule, const std::string& remedy) {
        m_problems->add(lineOf(key), pathOf(key), rule, remedy);
    }

  private:
    const toml::node* find(const char* key);
    std::string checkedText(const toml::node& node, const char* key, TextRule rule);

    const toml::table* m_table;
    std::string m_path;
    std::uint32_t m_line;
    const std::filesystem::path* m_folder;
    PlanProblems* m_problems;
    std::set<std::string, std::less<>> m_known;
};

/// Text for a message: control characters and what is too long are replaced.
std::string shownText(std::string_view text);

} // namespace tealdeck
