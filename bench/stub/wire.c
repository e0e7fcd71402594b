/* The bytes of a connection: plain, or TLS 1.3 with a certificate that is made at start. */
#define _GNU_SOURCE
#include "stub.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define DAY 86400
/* Several records are read at once. */
#define READ_BYTES (1 << 17)
/* A piece of object data, encrypted without a copy. OpenSSL makes records of 16 KiB of it. */
#define PIECE ((int64_t)1 << 18)

static SSL_CTX *context;

static void extend(X509 *certificate, int nid, const char *value) {
  X509V3_CTX of;
  X509V3_set_ctx(&of, certificate, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &of, nid, value);
  if (extension == NULL || !X509_add_ext(certificate, extension, -1)) abort();
  X509_EXTENSION_free(extension);
}

/* Signed by itself, so that it is also the CA that clients are told to trust. */
static X509 *certificate_make(EVP_PKEY *key, const char *address) {
  char names[128];
  X509 *certificate = X509_new();
  X509_NAME *name = X509_get_subject_name(certificate);
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY);
  X509_gmtime_adj(X509_getm_notAfter(certificate), DAY);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"xsync bench", -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_set_pubkey(certificate, key);
  snprintf(names, sizeof names, "IP:%s,DNS:localhost", address);
  extend(certificate, NID_subject_alt_name, names);
  extend(certificate, NID_basic_constraints, "critical,CA:TRUE");
  extend(certificate, NID_key_usage, "critical,digitalSignature,keyCertSign");
  extend(certificate, NID_subject_key_identifier, "hash");
  if (X509_sign(certificate, key, EVP_sha256()) == 0) abort();
  return certificate;
}

bool tls_prepare(const char *file, const char *address) {
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = certificate_make(key, address);
  context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  /* As S3 chooses, whatever a client prefers: all clients are measured with one cipher. */
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384");
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, READ_BYTES);
  if (SSL_CTX_use_certificate(context, certificate) != 1 || SSL_CTX_use_PrivateKey(context, key) != 1) abort();
  FILE *written = fopen(file, "w");
  return written != NULL && PEM_write_X509(written, certificate) == 1 && fclose(written) == 0;
}

SSL *tls_open(int fd) {
  SSL *tls = SSL_new(context);
  if (tls == NULL || SSL_set_fd(tls, fd) != 1) abort();
  SSL_set_accept_state(tls);
  return tls;
}

/* Of SSL_read or SSL_write, as recv and send return it. */
static ssize_t result(SSL *tls, int count) {
  if (count > 0) return count;
  int error = SSL_get_error(tls, count);
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
  return -1;
}

ssize_t wire_receive(Connection *c, void *into, size_t count) {
  if (c->tls == NULL) return recv(c->fd, into, count, 0);
  ERR_clear_error();
  return result(c->tls, SSL_read(c->tls, into, (int)count));
}

ssize_t wire_discard(Connection *c, size_t count) {
  static char scratch[READ_BYTES];
  /* MSG_TRUNC discards bytes without copying them. */
  if (c->tls == NULL) return recv(c->fd, NULL, count, MSG_TRUNC);
  return wire_receive(c, scratch, count < sizeof scratch ? count : sizeof scratch);
}

ssize_t wire_send(Connection *c, const void *bytes, size_t count, bool more) {
  if (c->tls == NULL) return send(c->fd, bytes, count, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
  ERR_clear_error();
  return result(c->tls, SSL_write(c->tls, bytes, (int)count));
}

ssize_t wire_send_content(Connection *c, int64_t offset, int64_t count) {
  if (c->tls == NULL) return (ssize_t)content_send(c->fd, offset, count);
  return wire_send(c, content_at(offset), (size_t)(count < PIECE ? count : PIECE), false);
}
