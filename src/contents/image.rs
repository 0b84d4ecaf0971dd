//! Which files may be shown as images.

/// A kind of image that browsers show, and that a README may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageKind {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// GIF.
    Gif,
    /// WebP.
    Webp,
    /// AVIF.
    Avif,
    /// SVG: a document, which may hold scripts. Only ever handed out sandboxed.
    Svg,
}

impl ImageKind {
    /// What the name of a file says it is.
    pub fn of_path(path: &str) -> Option<Self> {
        let (_, extension) = path.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "png" => Some(Self::Png),
            "jpg" | "jpeg" => Some(Self::Jpeg),
            "gif" => Some(Self::Gif),
            "webp" => Some(Self::Webp),
            "avif" => Some(Self::Avif),
            "svg" => Some(Self::Svg),
            _ => None,
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Avif => "image/avif",
            Self::Svg => "image/svg+xml",
        }
    }

    /// Whether the bytes are of this kind: a name alone must not make a page of ours out of a file.
    pub fn fits(self, bytes: &[u8]) -> bool {
        match self {
            Self::Png => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
            Self::Jpeg => bytes.starts_with(b"\xff\xd8\xff"),
            Self::Gif => bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a"),
            Self::Webp => bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
            Self::Avif => bytes.get(4..12).is_some_and(|brand| brand == b"ftypavif" || brand == b"ftypavis"),
            Self::Svg => memchr::memmem::find(bytes, b"<svg").is_some() && str::from_utf8(bytes).is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_alone_makes_no_image() {
        assert_eq!(ImageKind::of_path("docs/Logo.PNG"), Some(ImageKind::Png));
        assert_eq!(ImageKind::of_path("page.html"), None);
        assert_eq!(ImageKind::of_path("png"), None);
        assert!(ImageKind::Png.fits(b"\x89PNG\r\n\x1a\nrest"));
        assert!(!ImageKind::Png.fits(b"<script>alert(1)</script>"));
        assert!(ImageKind::Webp.fits(b"RIFF\0\0\0\0WEBPVP8 "));
        assert!(ImageKind::Svg.fits(b"<?xml version=\"1.0\"?><svg/>"));
        assert!(!ImageKind::Svg.fits(b"<html>"));
    }
}
