// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/result.h"

#include <memory>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace tealdeck {

/// The two directions between a client and an engine: a Unix socket, or the standard streams of a program. Never blocks.
class ByteStream {
  public:
    static Result<std::unique_ptr<ByteStream>> connect(const std::string& socketPath);
    /// Starts the program in a session of its own; it is ended and reaped when the stream is destroyed.
    static Result<std::unique_ptr<ByteStream>> start(const std::vector<std::string>& argv);
    ~ByteStream();
    ByteStream(const ByteStream&) = delete;
    ByteStream& operator=(const ByteStream&) = delete;

    [[nodiscard]] int readFd() const { return m_in; }
    [[nodiscard]] int writeFd() const { return m_out; }
    /// Standard error of the program; -1 for a socket and after it was closed.
    [[nodiscard]] int errorFd() const { return m_err; }

    /// Appends what is there; false when the stream has ended.
    bool read(std::string& into);
    /// How many bytes went out (0: none just now); -1 when the other side is gone.
    ssize_t write(std::string_view bytes);
    /// Keeps the end of what the program said on standard error.
    void readErrors();
    [[nodiscard]] const std::string& errors() const { return m_errors; }

  private:
    ByteStream(int in, int out, int err, pid_t child) : m_in(in), m_out(out), m_err(err), m_child(child) {}
    void endChild() const;

    int m_in;
    int m_out;
    int m_err;
    pid_t m_child;
    std::string m_errors;
};

} // namespace tealdeck
