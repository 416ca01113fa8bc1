//! What stands at the beginning of a file, and is not what this code writes.

use super::disk::{Files, SALT, recover};
use crate::wal::File;
use crate::wal::frame::{header, read_header};

/// A header of version 3: it had no salt, and was 16 bytes long. Frames follow.
fn version_3(file: File) -> Vec<u8> {
    let mut bytes = header(file, SALT)[..8].to_vec();
    bytes.extend_from_slice(&3_u32.to_le_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    bytes.extend_from_slice(b"frames");
    bytes
}

/// A header of a later version that has kept the layout.
fn later(file: File, version: u32) -> Vec<u8> {
    let mut bytes = header(file, SALT)[..16].to_vec();
    bytes[8..12].copy_from_slice(&version.to_le_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

#[test]
fn a_file_of_another_version_is_refused_by_its_version() {
    for file in File::ALL {
        assert_eq!(read_header(file, &later(file, 4)), Ok(SALT), "the layout is that of this version");
        for bytes in [version_3(file), later(file, 5), later(file, u32::MAX)] {
            assert_eq!(read_header(file, &bytes), Err("the version is not known"), "{file:?}");
        }
    }
    for bytes in [version_3(File::Log), later(File::Log, 5)] {
        let mut files = Files::default();
        files.put(File::Log, |log| *log = bytes);
        let refused = recover(&files).unwrap_err().to_string();
        assert_eq!(refused, "the log is corrupt at byte 0: the version is not known");
    }
}

/// One bad bit does not make another version of a file, nor does the name of another.
#[test]
fn a_bad_header_is_not_taken_for_one_of_another_version() {
    let others = |file| File::ALL.into_iter().filter(move |other| *other as usize != file as usize);
    for file in File::ALL {
        for (bytes, checked) in [(version_3(file), 16), (later(file, 5), 20), (later(file, 4), 20)] {
            for bit in 0..checked * 8 {
                let mut bytes = bytes.clone();
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(read_header(file, &bytes), Err("the header is bad"), "{file:?} bit {bit}");
            }
        }
        for other in others(file) {
            for bytes in [version_3(other), later(other, 5), later(other, 4)] {
                assert_eq!(read_header(file, &bytes), Err("the header is bad"), "{other:?} as {file:?}");
            }
        }
        assert_eq!(read_header(file, &version_3(file)[..16]), Err("there is no header"));
    }
}
