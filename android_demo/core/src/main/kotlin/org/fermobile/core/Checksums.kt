package org.fermobile.core

import java.nio.ByteBuffer
import java.security.MessageDigest

/** Bytes as hexadecimal digits. */
fun hex(bytes: ByteArray): String = bytes.joinToString("") { "%02x".format(it) }

/** The SHA-256 of a file's bytes from position 0 to [end], hex; [content] is left as it is. */
fun sha256(content: ByteBuffer, end: Int = content.limit()): String {
    val digest = MessageDigest.getInstance("SHA-256")
    digest.update(content.duplicate().seek(end = end))
    return hex(digest.digest())
}
