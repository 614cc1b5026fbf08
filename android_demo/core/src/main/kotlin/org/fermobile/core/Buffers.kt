package org.fermobile.core

import java.nio.Buffer
import java.nio.ByteBuffer

/**
 * Sets position and limit.  Through [Buffer], because [ByteBuffer]'s own methods for it, which
 * compilers take since Java 9, are missing before Android 9.
 *
 * @return the buffer itself.
 */
fun ByteBuffer.seek(start: Int = 0, end: Int = limit()): ByteBuffer {
    val buffer: Buffer = this
    buffer.limit(end)
    buffer.position(start)
    return this
}
