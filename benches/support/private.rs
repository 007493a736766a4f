//! Files of secret keys, which grantd takes only where nobody else can read them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Writes a file that its owner alone can read.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) {
    std::fs::write(path, content).expect("the file is written");
    let owner_alone = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, owner_alone).expect("its mode is set");
}
