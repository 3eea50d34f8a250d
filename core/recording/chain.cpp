// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/chain.h"

#include <fmt/format.h>
#include <memory>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdexcept>

namespace tealdeck::chain {
namespace {

/// One SHA-256; the algorithm and the context are fetched once per thread, which is most of the cost of a short hash.
class Sha256 {
  public:
    Sha256() {
        if (EVP_DigestInit_ex(context(), algorithm(), nullptr) != 1) {
            throw std::runtime_error("SHA-256 failed");
        }
    }
    Sha256& add(const void* bytes, std::size_t count) {
        if (EVP_DigestUpdate(context(), bytes, count) != 1) {
            throw std::runtime_error("SHA-256 failed");
        }
        return *this;
    }
    Sha256& add(std::uint64_t number) {
        std::array<unsigned char, 8> bytes{};
        for (std::size_t i = 0; i < 8; ++i) {
            bytes[i] = static_cast<unsigned char>(number >> (56 - 8 * i));
        }
        return add(bytes.data(), bytes.size());
    }
    Sha256& addText(std::string_view text) { return add(text.size()).add(text.data(), text.size()); }
    Sha256& addByte(unsigned char byte) { return add(&byte, 1); }
    /// How each link of the chain begins.
    Sha256& link(const Digest& previous, const Header& header) {
        return addByte(1)
            .add(previous.data(), previous.size())
            .add(header.seq)
            .add(static_cast<std::uint64_t>(header.steadyUs))
            .add(static_cast<std::uint64_t>(header.wallUs))
            .add(static_cast<std::uint64_t>(header.kind));
    }
    Digest done() {
        Digest digest{};
        unsigned int length = 0;
        if (EVP_DigestFinal_ex(context(), digest.data(), &length) != 1 || length != digest.size()) {
            throw std::runtime_error("SHA-256 failed");
        }
        return digest;
    }

  private:
    static const EVP_MD* algorithm() {
        static EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
        return fetched;
    }
    static EVP_MD_CTX* context() {
        thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> made(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
        return made.get();
    }
};

} // namespace

Digest leaf(const Salt& salt, std::string_view body) {
    return Sha256().addByte(0).add(salt.data(), salt.size()).add(body.data(), body.size()).done();
}

Digest textLeaf(const Salt& salt, std::string_view text) {
    return Sha256().addByte(2).add(salt.data(), salt.size()).add(text.data(), text.size()).done();
}

Digest genesis(const std::map<std::string, std::string>& meta) {
    Sha256 hash;
    hash.addByte(0).add("TEAL1", 5);
    for (const auto& [key, value] : meta) {
        hash.addText(key).addText(value);
    }
    return hash.done();
}

Digest genesis(const std::map<std::string, Digest>& meta) {
    Sha256 hash;
    hash.addByte(0).add("TEAL2", 5);
    for (const auto& [key, leaf] : meta) {
        hash.addText(key).add(leaf.data(), leaf.size());
    }
    return hash.done();
}

Digest next(const Digest& previous, const Header& header, std::string_view actor, const Digest& leaf) {
    return Sha256().link(previous, header).addText(actor).add(leaf.data(), leaf.size()).done();
}

Digest next(const Digest& previous, const Header& header, const Digest& actorLeaf, const Digest& leaf) {
    return Sha256().link(previous, header).add(actorLeaf.data(), actorLeaf.size()).add(leaf.data(), leaf.size()).done();
}

Digest sha256(std::string_view bytes) {
    return Sha256().add(bytes.data(), bytes.size()).done();
}

FileHash::FileHash() : m_context(EVP_MD_CTX_new()) {
    if (m_context == nullptr || EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(m_context), EVP_sha256(), nullptr) != 1) {
        throw std::runtime_error("SHA-256 failed");
    }
}

FileHash::~FileHash() {
    EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(m_context));
}

void FileHash::add(std::string_view bytes) {
    if (EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(m_context), bytes.data(), bytes.size()) != 1) {
        throw std::runtime_error("SHA-256 failed");
    }
}

Digest FileHash::done() {
    Digest digest{};
    if (EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(m_context), digest.data(), nullptr) != 1) {
        throw std::runtime_error("SHA-256 failed");
    }
    return digest;
}

Salt randomSalt() {
    Salt salt{};
    if (RAND_bytes(salt.data(), static_cast<int>(salt.size())) != 1) {
        throw std::runtime_error("the system's random source failed");
    }
    return salt;
}

std::string hex(const Digest& digest) {
    std::string text;
    for (const unsigned char byte : digest) {
        text += fmt::format("{:02x}", byte);
    }
    return text;
}

} // namespace tealdeck::chain
