use std::{
    fs,
    net::TcpStream,
    path::PathBuf,
    process::{Child, Stdio},
};

use crate::support::{Namespace, eventually};

/// nginx in a namespace, at 10.99.0.1:80; answers any path, keeps a log of what it answered.
pub(crate) struct Nginx {
    process: Child,
    pub(crate) folder: PathBuf,
}

impl Nginx {
    pub(crate) fn start(namespace: &Namespace) -> Self {
        let folder = std::env::temp_dir().join(&namespace.name);
        fs::create_dir_all(&folder).unwrap();
        let at = folder.display();
        let body = "x".repeat(1024);
        fs::write(folder.join("large"), vec![b'y'; 2 << 20]).unwrap();
        let configuration = format!(
            "user root; daemon off; master_process off; pid {at}/pid; error_log {at}/error.log;
             events {{ worker_connections 1024; }}
             http {{
                 log_format paths '$request_uri';
                 access_log {at}/access.log paths buffer=64k;
                 keepalive_requests 100000000; sendfile on;
                 client_body_temp_path {at}/t1; proxy_temp_path {at}/t2; fastcgi_temp_path {at}/t3;
                 uwsgi_temp_path {at}/t4; scgi_temp_path {at}/t5;
                 server {{
                     listen 10.99.0.1:80;
                     location / {{ default_type text/plain; return 200 '{body}'; }}
                     location = /large {{ root {at}; }}
                 }}
             }}"
        );
        fs::write(folder.join("nginx.conf"), configuration).unwrap();
        let process = namespace
            .command("setpriv")
            // It ends with the test, however that ends.
            .args(["--pdeathsig", "KILL", "nginx"])
            .args(["-c", &format!("{at}/nginx.conf"), "-e", &format!("{at}/error.log")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let nginx = Self { process, folder };
        eventually("nginx listens", || namespace.inside(|| TcpStream::connect("10.99.0.1:80").is_ok()));
        nginx
    }

    /// Lets it answer what it has received, and reads which paths it answered.
    pub(crate) fn finish(mut self) -> Vec<String> {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, rustix::process::Signal::QUIT).unwrap();
        self.process.wait().unwrap();
        let log = fs::read_to_string(self.folder.join("access.log")).unwrap();
        log.lines().map(str::to_owned).collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Both fail where it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
