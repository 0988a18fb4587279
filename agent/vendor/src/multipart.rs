//! A file into an object: in one request, or in parts.

use std::time::Duration;

use object_store::path::Path;
use object_store::{Attribute, Attributes, MultipartUpload, PutMultipartOptions, PutOptions, PutPayload};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::file::Opened;
use crate::store::Store;
use crate::{Error, content_type};

/// Files up to this go in one request. Also the size of a part, unless there would be too many.
const PART: u64 = 8 << 20;
/// Parts of one object that both services allow.
const PARTS: u64 = 10_000;
/// The largest part: with [`PARTS`] of them an object has 625 GiB.
const LARGEST_PART: u64 = 64 << 20;
/// Parts that are on their way at once, each in memory.
const IN_FLIGHT: usize = 2;
/// For taking back parts when the upload failed.
const ABORT: Duration = Duration::from_secs(10);

/// What stopped an upload.
pub(crate) enum Stop {
    File(Error),
    Store(object_store::Error),
}

impl From<object_store::Error> for Stop {
    fn from(error: object_store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::File(error)
    }
}

/// Uploads `file` as `key`. Dropped or failed on the way, it takes back the parts that are there already.
pub(crate) async fn upload(store: &dyn Store, key: &Path, mut file: Opened) -> Result<(), Stop> {
    let start = file.peek(content_type::LOOK).await?;
    let kind = content_type::of(file.name(), &start);
    let attributes = Attributes::from_iter([(Attribute::ContentType, kind)]);
    if file.len <= PART {
        let payload = PutPayload::from(file.read(file.len as usize).await?);
        store.put_opts(key, payload, PutOptions { attributes, ..PutOptions::default() }).await?;
        return Ok(());
    }
    let part = PART.max(file.len.div_ceil(PARTS));
    if part > LARGEST_PART {
        let most = (LARGEST_PART * PARTS) >> 30;
        return Err(Error::argument(format!("files above {most} GiB cannot be uploaded")).into());
    }
    let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
    let upload = store.put_multipart_opts(key, options).await?;
    let mut parts = Parts { upload: Some(upload), sent: JoinSet::new() };
    parts.send(file, part).await
}

struct Parts {
    /// None once there is nothing to take back.
    upload: Option<Box<dyn MultipartUpload>>,
    sent: JoinSet<object_store::Result<()>>,
}

impl Parts {
    async fn send(&mut self, mut file: Opened, part: u64) -> Result<(), Stop> {
        let mut left = file.len;
        while left > 0 {
            let bytes = file.read(left.min(part) as usize).await?;
            left -= bytes.len() as u64;
            while self.sent.len() >= IN_FLIGHT {
                self.one_sent().await?;
            }
            let Some(upload) = &mut self.upload else { break };
            self.sent.spawn(upload.put_part(bytes.into()));
        }
        while !self.sent.is_empty() {
            self.one_sent().await?;
        }
        if let Some(upload) = &mut self.upload {
            upload.complete().await?;
        }
        self.upload = None;
        Ok(())
    }

    async fn one_sent(&mut self) -> Result<(), Stop> {
        match self.sent.join_next().await {
            Some(Ok(sent)) => Ok(sent?),
            Some(Err(error)) => Err(Error::Internal(format!("a part of an upload: {error}")).into()),
            None => Ok(()),
        }
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        // Parts of an upload nobody completes stay, unseen, and cost money.
        let Some(mut upload) = self.upload.take() else { return };
        let mut sent = std::mem::take(&mut self.sent);
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                // A part that arrives after the abort would stay as well.
                sent.shutdown().await;
                if !matches!(timeout(ABORT, upload.abort()).await, Ok(Ok(()))) {
                    tracing::warn!("the parts of a failed upload could not be taken back");
                }
            });
        }
    }
}
