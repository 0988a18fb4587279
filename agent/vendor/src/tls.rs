//! Whom connections trust: the system's certificates and those an operator adds, or one pinned certificate.

use std::sync::Arc;

use ring::digest::{SHA256, digest};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring as provider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::Error;

/// A SHA-256 of a certificate's DER form.
pub(crate) type Fingerprint = [u8; 32];

/// Trusts the system's certificates and those in `extra_pem`. A system without any is no error here: connections that
/// need them say so.
pub(crate) fn system(extra_pem: Option<&str>) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    let (added, ignored) = roots.add_parsable_certificates(native.certs);
    tracing::debug!(added, ignored, errors = native.errors.len(), "certificates of the system");
    for certificate in CertificateDer::pem_slice_iter(extra_pem.unwrap_or_default().as_bytes()) {
        let broken = |error: &dyn std::fmt::Display| Error::argument(format!("extra certificate: {error}"));
        roots.add(certificate.map_err(|error| broken(&error))?).map_err(|error| broken(&error))?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(internal)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(with_http1(config))
}

/// Trusts servers that present the certificate with this fingerprint, as leaf or as the authority above it.
pub(crate) fn pinned(fingerprint: Fingerprint) -> Result<ClientConfig, Error> {
    let crypto = Arc::new(provider::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&crypto))
        .with_safe_default_protocol_versions()
        .map_err(internal)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pin { fingerprint, crypto }))
        .with_no_client_auth();
    Ok(with_http1(config))
}

fn with_http1(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

fn internal(error: rustls::Error) -> Error {
    Error::Internal(format!("TLS: {error}"))
}

/// Reads a fingerprint as Elasticsearch prints it: 64 hexadecimal digits of either case, colons between them or not.
pub(crate) fn parse_fingerprint(text: &str) -> Option<Fingerprint> {
    let mut digits = text.trim().bytes().filter(|&byte| byte != b':').map(|byte| (byte as char).to_digit(16));
    let mut fingerprint = [0; 32];
    for byte in &mut fingerprint {
        *byte = (digits.next()?? << 4 | digits.next()??) as u8;
    }
    digits.next().is_none().then_some(fingerprint)
}

/// Certificates with the pinned fingerprint need no other proof. Elasticsearch's clients take any certificate in the
/// chain, so the pin of a cluster's own authority must do as well; but whoever can see a handshake can present that
/// certificate behind one of their own making. So where it is not the leaf, the leaf must be signed under it. Host names are not
/// compared in either case, as in those clients: the pin says whom to trust.
#[derive(Debug)]
struct Pin {
    fingerprint: Fingerprint,
    crypto: Arc<CryptoProvider>,
}

impl Pin {
    fn matches(&self, certificate: &CertificateDer<'_>) -> bool {
        digest(&SHA256, certificate).as_ref() == self.fingerprint
    }
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.matches(leaf) {
            return Ok(ServerCertVerified::assertion());
        }
        let Some(authority) = intermediates.iter().find(|certificate| self.matches(certificate)) else {
            return Err(rustls::Error::General(
                "no certificate of the server has the pinned fingerprint".into(),
            ));
        };
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(&self.crypto))
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        // The name is compared after the signatures.
        match verifier.verify_server_cert(leaf, intermediates, name, ocsp, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.crypto.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.crypto.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.crypto.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_in_every_form_elasticsearch_prints() {
        let plain = "00ff".repeat(16);
        let mut colons = "00:FF:".repeat(16);
        colons.pop();
        for text in [plain.as_str(), colons.as_str(), &format!(" {plain}\n")] {
            assert_eq!(
                parse_fingerprint(text).map(|bytes| bytes[..2].to_vec()),
                Some(vec![0, 255]),
                "{text}"
            );
        }
        for text in ["", "00", &plain[1..], &format!("{plain}0"), &plain.replace('f', "g")] {
            assert_eq!(parse_fingerprint(text), None, "{text}");
        }
    }
}
