// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace tealdeck {

/// An expected failure: what went wrong, and what the reader can do about it. Never holds a secret.
struct Error {
    enum class Kind {
        Invalid,     ///< something a person typed or a file said is wrong; exit code 2
        Unavailable, ///< a server, router or file could not be reached
        Timeout,     ///< a deadline passed; the outcome may be unknown
        Refused,     ///< a gate, a law or another driver forbids it
        Server,      ///< a server answered with an error (see sqlstate)
        Conflict,    ///< the state found is not the one expected
        Internal     ///< a defect of ours
    };
    Kind kind = Kind::Internal;
    std::string message;  ///< one sentence, plain text
    std::string remedy;   ///< how to fix it; may be empty
    std::string sqlstate; ///< five characters when a PostgreSQL server answered, else empty

    /// message and remedy in one line.
    [[nodiscard]] std::string text() const { return remedy.empty() ? message : message + " " + remedy; }
};

/// A value or an Error. Exceptions stay inside the adapters that need them.
template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value) : m_state(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : m_state(std::in_place_index<1>, std::move(error)) {}

    [[nodiscard]] bool ok() const { return m_state.index() == 0; }
    explicit operator bool() const { return ok(); }
    T& value() & { return std::get<0>(m_state); }
    const T& value() const& { return std::get<0>(m_state); }
    T&& value() && { return std::get<0>(std::move(m_state)); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    [[nodiscard]] const Error& error() const { return std::get<1>(m_state); }
    T valueOr(T fallback) const { return ok() ? value() : std::move(fallback); }

  private:
    std::variant<T, Error> m_state;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : m_error(std::move(error)) {}
    [[nodiscard]] bool ok() const { return !m_error; }
    explicit operator bool() const { return ok(); }
    [[nodiscard]] const Error& error() const { return *m_error; }

  private:
    std::optional<Error> m_error;
};

using Status = Result<void>;

} // namespace tealdeck
