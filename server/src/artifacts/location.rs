//! Where the files of reports are kept: a parsed `--files`. Credentials never stand in it.

use std::path::PathBuf;
use std::str::FromStr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArtifactLocation {
    Folder(PathBuf),
    S3 {
        bucket: String,
        /// What every key begins with; may be empty.
        prefix: String,
    },
}

/// The text names no place for files.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write dir:PATH or s3://BUCKET[/PREFIX]; keys, region and endpoint of S3 belong into the environment (AWS_...)"
)]
pub struct InvalidArtifactLocation;

impl FromStr for ArtifactLocation {
    type Err = InvalidArtifactLocation;

    fn from_str(text: &str) -> Result<Self, InvalidArtifactLocation> {
        if let Some(path) = text.strip_prefix("dir:").filter(|path| !path.is_empty()) {
            return Ok(Self::Folder(path.into()));
        }
        let name = text.strip_prefix("s3://").ok_or(InvalidArtifactLocation)?;
        let (bucket, prefix) = name.split_once('/').unwrap_or((name, ""));
        let plain =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte));
        if bucket.is_empty() || !plain(bucket) || !plain(prefix) || prefix.contains("..") {
            return Err(InvalidArtifactLocation);
        }
        Ok(Self::S3 { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_folder_or_a_bucket_without_credentials() {
        let s3 = |bucket: &str, prefix: &str| {
            Ok(ArtifactLocation::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
        };
        assert_eq!("dir:/a b".parse(), Ok(ArtifactLocation::Folder("/a b".into())));
        assert_eq!("s3://b".parse(), s3("b", ""));
        assert_eq!("s3://b-1.x/reports/eu/".parse(), s3("b-1.x", "reports/eu"));
        for bad in [
            "",
            "dir:",
            "/a",
            "s3://",
            "s3:///a",
            "s3://KEY:SECRET@b",
            "s3://b?key=1",
            "s3://b/../c",
            "http://b",
        ] {
            assert_eq!(bad.parse::<ArtifactLocation>(), Err(InvalidArtifactLocation), "{bad}");
        }
    }
}
