//! nginx, which sends the same bytes from ready-made files: what an answer costs when nothing is decided.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::fixtures::Sample;
use crate::process::ProcessTree;
use crate::server::stop;

/// A running nginx; stopped and removed when dropped.
#[derive(Debug)]
pub(crate) struct Nginx {
    pub(crate) address: SocketAddr,
    pub(crate) process: ProcessTree,
    child: Child,
    _folder: TempDir,
}

impl Nginx {
    /// Starts it on files with the bodies of `samples`; `None` where it is not installed.
    pub(crate) fn start(samples: &[Sample], token: &str) -> anyhow::Result<Option<Self>> {
        let Some(program) = find_program() else { return Ok(None) };
        let folder = tempfile::tempdir()?;
        for sample in samples {
            write_file(&folder.path().join("www"), sample)?;
        }
        let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let configuration = folder.path().join("nginx.conf");
        fs::write(&configuration, configure(folder.path(), address, token))?;
        let child = Command::new(program)
            .arg("-c")
            .arg(&configuration)
            .stdin(Stdio::null())
            .spawn()
            .context("nginx does not start")?;
        let nginx = Self { address, process: ProcessTree(child.id()), child, _folder: folder };
        nginx.wait_until_ready()?;
        Ok(Some(nginx))
    }

    fn wait_until_ready(&self) -> anyhow::Result<()> {
        for _ in 0..100 {
            if TcpStream::connect(self.address).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("nginx does not listen")
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

fn find_program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("nginx")).find(|program| program.is_file())
}

fn write_file(root: &Path, sample: &Sample) -> anyhow::Result<()> {
    let path = sample.nginx_path().replace("%2f", "/");
    let suffix = if sample.is_gzip { ".gz" } else { "" };
    let file = root.join(format!("{}{suffix}", path.trim_start_matches('/')));
    fs::create_dir_all(file.parent().context("a folder")?)?;
    fs::write(&file, &sample.body)?;
    Ok(())
}

/// Tuned for files: sendfile, open files kept, no log, as many workers as there are cores.
fn configure(folder: &Path, address: SocketAddr, token: &str) -> String {
    let folder = folder.display();
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    // Workers of a root nginx become nobody otherwise, who may not look into our folder.
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    format!(
        r#"daemon off; worker_processes {workers}; {user} pid {folder}/nginx.pid; error_log {folder}/error.log error;
        events {{ worker_connections 1024; }}
        http {{
            access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; etag on; if_modified_since before; gzip_static on; gzip_vary on;
            keepalive_requests 100000000; keepalive_timeout 65s;
            open_file_cache max=1000 inactive=300s; open_file_cache_valid 300s;
            client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
            uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
            map_hash_bucket_size 128;
            map $http_authorization $known {{ default 0; "Bearer {token}" 1; }}
            map "$known$uri" $refuse {{ default 0; ~^0/@bench/restricted 1; }}
            server {{
                listen {address} backlog=1024; root {folder}/www;
                types {{}} default_type application/octet-stream;
                if ($refuse) {{ return 404; }}
            }}
        }}"#
    )
}
