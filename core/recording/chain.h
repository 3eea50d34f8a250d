// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

/// The hash chain of a recording. Two levels, so that a body can be redacted later (body and salt dropped, leaf kept) and the
/// chain still verifies:
///
///   leaf   = SHA256(0x00 || salt(16) || body as stored)
///   hash_0 = SHA256(0x00 || "TEAL1" || for each key of meta in byte order: length || key || length || value)
///   hash_n = SHA256(0x01 || hash_{n-1} || seq || t_us || wall_us || kind || length of actor || actor's name || leaf)
///
/// In version 2 the values of meta and the actors' names have leaves of their own, so that they can be redacted as well:
///
///   text leaf = SHA256(0x02 || salt(16) || text)
///   hash_0    = SHA256(0x00 || "TEAL2" || for each key of meta in byte order: length || key || text leaf of the value)
///   hash_n    = SHA256(0x01 || hash_{n-1} || seq || t_us || wall_us || kind || text leaf of the actor's name || leaf)
///
/// Integers and lengths are 64 bits, big-endian. The actor's name and not its number is hashed: the table of names is protected too.
namespace tealdeck::chain {

using Digest = std::array<unsigned char, 32>;
using Salt = std::array<unsigned char, 16>;

/// What a record says besides its body and its actor.
struct Header {
    std::uint64_t seq = 0;
    std::int64_t steadyUs = 0;
    std::int64_t wallUs = 0;
    std::int64_t kind = 0;
};

Digest leaf(const Salt& salt, std::string_view body);
Digest textLeaf(const Salt& salt, std::string_view text);
/// Version 1.
Digest genesis(const std::map<std::string, std::string>& meta);
/// Version 2: keys and the leaves of their values.
Digest genesis(const std::map<std::string, Digest>& meta);
/// Version 1.
Digest next(const Digest& previous, const Header& header, std::string_view actor, const Digest& leaf);
/// Version 2.
Digest next(const Digest& previous, const Header& header, const Digest& actorLeaf, const Digest& leaf);
Digest sha256(std::string_view bytes);
/// SHA-256 of something long that comes in parts.
class FileHash {
  public:
    FileHash();
    ~FileHash();
    FileHash(const FileHash&) = delete;
    FileHash& operator=(const FileHash&) = delete;
    void add(std::string_view bytes);
    Digest done();

  private:
    void* m_context;
};
Salt randomSalt();
std::string hex(const Digest& digest);

} // namespace tealdeck::chain
