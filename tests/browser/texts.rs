//! What people write into packages, names and fields: plainly, or as badly as they can.

use serde_json::json;

use crate::support::app::Package;

/// Everything that pages show and did not make themselves.
pub(crate) struct Texts {
    /// The longest or plainest name of a package.
    pub(crate) package: &'static str,
    pub(crate) prerelease: &'static str,
    pub(crate) tag: &'static str,
    pub(crate) range: &'static str,
    pub(crate) word: &'static str,
    pub(crate) sentence: &'static str,
    pub(crate) link: &'static str,
    pub(crate) full_name: &'static str,
    pub(crate) token: &'static str,
    pub(crate) endpoint: &'static str,
    /// What a terminal says it is.
    pub(crate) client: &'static str,
    pub(crate) host: &'static str,
    pub(crate) file: &'static str,
    pub(crate) readme: &'static str,
    pub(crate) source: &'static str,
}

/// As most people write.
pub(crate) const PLAIN: Texts = Texts {
    package: "@ada/keys",
    prerelease: "2.0.0-beta.1",
    tag: "beta",
    range: "^1.0.0",
    word: "vault",
    sentence: "Use 1.1.0 instead; this one forgets where it put the key.",
    link: "https://example.com/vault",
    full_name: "Ada Example",
    token: "ci-read",
    endpoint: "https://hooks.example.com/strongroom",
    client: "npm/11.19.1 node/v24.1.0 linux x64 workspaces/false",
    host: "laptop",
    file: "src/open.js",
    readme: "# Vault\n\nKeeps what is dear.\n\n## Use\n\n```js\nimport { open } from \"@ada/vault\";\n\nopen(\"sesame\");\n```\n\n\
        | Option | Default |\n| --- | --- |\n| `locks` | 2 |\n\n- [x] keys\n- [ ] hinges\n\n> [!NOTE]\n> Ask \
        [Ada](https://example.com/ada) or read [the source](src/open.js).\n\n![The vault](docs/logo.png)\n\nA note[^1].\n\n\
        [^1]: At the end.\n",
    source: "// Opens it.\nexport function open(word) {\n  return word === \"sesame\";\n}\n",
};

/// With hosts below `.evil.example`, where the browser would really go; `window.pwned` tells that a script ran.
pub(crate) const NASTY: Texts = Texts {
    package: "@ada/constructor.prototype-javascript.alert.1-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
        aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    prerelease: "2.0.0-javascript.alert.onerror.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-----------------------",
    tag: "'onerror!(window.pwned)*~'",
    range: ">=0 <script>window.pwned=1</script>",
    word: "\"><script>window.pwned=1</script>",
    sentence: "</title></textarea><script>window.pwned=1</script>\"' onmouseover='window.pwned=1' \
        <img src=https://pixel.evil.example/s.png onerror=window.pwned=1> {{7*7}} ${7*7} \u{202e}txet desrever\u{202c} \
        javascript:window.pwned=1 &lt;script&gt;window.pwned=1&lt;/script&gt; --> ]]> \
        wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww",
    link: "javascript:window.pwned=1//https://link.evil.example/",
    full_name: "Ada\" autofocus onfocus=\"window.pwned=1\" <svg onload=window.pwned=1>",
    token: "<b onmouseover=window.pwned=1>ci</b><img src=https://token.evil.example/x>",
    endpoint: "https://hook.evil.example/'onmouseover='window.pwned=1'/javascript:window.pwned=1",
    client: "npm/11.0.0 node/v24 <script>window.pwned=1</script> \"><img src=https://client.evil.example/ onerror=window.pwned=1>",
    host: "<script>window.pwned=1</script>",
    file: "src/\"><img src=x onerror=window.pwned=1>.js",
    readme: include_str!("nasty.md"),
    source: "</code></pre><script>window.pwned=1</script><img src=https://source.evil.example/x.png onerror=window.pwned=1>\n",
};

/// The smallest picture.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\
    \x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

const DRAWING: &[u8] =
    b"<svg xmlns='http://www.w3.org/2000/svg' onload='window.pwned=1'><script>window.pwned=1</script>\
    <image href='https://drawing.evil.example/x.png'/><foreignObject><body xmlns='http://www.w3.org/1999/xhtml'>\
    <iframe src='https://frame.evil.example/'></iframe></body></foreignObject></svg>";

impl Texts {
    /// A package full of them.
    pub(crate) fn package(&self, name: &str, version: &str) -> Package {
        let mut package = Package::new(name, version);
        package.manifest = json!({
            "description": self.sentence,
            "main": "index.js",
            "keywords": ["keys", self.word, self.sentence],
            "author": { "name": self.full_name, "email": "ada@example.com", "url": self.link },
            "contributors": [{ "name": self.full_name, "url": self.link }],
            "homepage": self.link,
            "repository": { "type": "git", "url": self.link },
            "bugs": { "url": self.link },
            "funding": { "type": self.word, "url": self.link },
            "license": self.word,
            "engines": { "node": self.range },
            "dependencies": { "@ada/open": "^1.0.0" },
            "optionalDependencies": { "left-pad": self.range },
        });
        package.files = vec![
            ("index.js".into(), self.source.into()),
            ("README.md".into(), self.readme.into()),
            (self.file.into(), self.source.into()),
            ("docs/page.html".into(), self.source.into()),
            ("docs/logo.png".into(), PICTURE.into()),
            ("docs/drawing.svg".into(), DRAWING.into()),
            ("keys.bin".into(), vec![0, 159, 146, 150]),
            (".npmrc".into(), b"//npm.example.com/:_authToken=npm_0000000000000000000000000000000000\n".into()),
        ];
        package
    }

    /// The path of the file as it stands in addresses.
    pub(crate) fn file_in_address(&self) -> String {
        let spelled =
            |part: &str| percent_encoding::utf8_percent_encode(part, percent_encoding::NON_ALPHANUMERIC).to_string();
        self.file.split('/').map(spelled).collect::<Vec<_>>().join("/")
    }
}
