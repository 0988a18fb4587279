//! Where the kernel programs come from.

use std::{borrow::Cow, env, fs, path::Path};

use crate::CaptureError;

#[cfg(ebpf_embedded)]
static EMBEDDED: &[u8] = aya::include_bytes_aligned!(env!("REMORA_EBPF_OBJECT"));

/// The file named by the configuration, else the one `REMORA_EBPF_OBJECT` names, else what was compiled in.
pub(crate) fn load(configured: Option<&Path>) -> Result<Cow<'static, [u8]>, CaptureError> {
    let named = env::var_os("REMORA_EBPF_OBJECT").filter(|path| !path.is_empty());
    match configured.or(named.as_deref().map(Path::new)) {
        Some(path) => fs::read(path)
            .map(Cow::Owned)
            .map_err(|error| CaptureError::Object { path: path.to_path_buf(), error }),
        None => embedded(),
    }
}

#[cfg(ebpf_embedded)]
fn embedded() -> Result<Cow<'static, [u8]>, CaptureError> {
    Ok(Cow::Borrowed(EMBEDDED))
}

#[cfg(not(ebpf_embedded))]
fn embedded() -> Result<Cow<'static, [u8]>, CaptureError> {
    Err(CaptureError::NoObject)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_named() {
        let error = load(Some(Path::new("/nonexistent/programs.o"))).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/programs.o"), "{error}");
    }
}
