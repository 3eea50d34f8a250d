// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/lab/lab_state.h"

#include <map>

namespace tealdeck {

/// Checks what a person typed; Invalid errors name the option and what is allowed.
Status checkLabOptions(const LabOptions& options);

/// Finds the user that the servers run as. For root: the named one, else postgres, else nobody; else the caller itself.
Status chooseLabUser(LabState& state);

/// Ports that nobody listens on, outside the range that the kernel gives to outgoing connections, held until released.
class HeldPorts {
  public:
    HeldPorts() = default;
    ~HeldPorts();
    HeldPorts(const HeldPorts&) = delete;
    HeldPorts& operator=(const HeldPorts&) = delete;
    Result<int> take();
    /// Lets the port go; called just before the server that is to listen on it starts.
    void release(int port);

  private:
    std::map<int, int> m_sockets;
};

/// Names, zones, ports and folders of all parts; writes nothing.
Status layOut(LabState& state, HeldPorts& ports);

/// Makes the folders with owner and mode, the socket folder included.
Status makeLabFolders(LabState& state);

/// CA and server certificate for localhost and 127.0.0.1 in D/tls.
Status makeLabCertificates(const LabState& state);

/// Random passwords for all roles and the passfiles that hold them. Returns role → password.
Result<std::map<std::string, std::string>> makeLabPasswords(const LabState& state);

/// Writes a file and gives it to the lab's user.
Status writeOwned(const LabState& state, const std::filesystem::path& path, const std::string& text, unsigned mode);

} // namespace tealdeck
