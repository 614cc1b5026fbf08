package org.fermobile.fer

import org.fermobile.core.TensorModel
import org.tensorflow.lite.Delegate
import java.nio.ByteBuffer
import java.util.concurrent.Callable
import java.util.concurrent.ExecutionException
import java.util.concurrent.Executors

/** What computes a classifier's network. */
interface Accelerator {
    /** The name of its verdict in a contract: `cpu`, `gpu` or `npu`. */
    val name: String

    /**
     * A model ready to run.  It may throw what a library that is missing, a broken file or a graph
     * that it cannot run gives: the CPU takes over then (see [Fer.fallback]).
     *
     * @param content the whole file, direct or mapped.
     */
    fun open(content: ByteBuffer, threads: Int): TensorModel
}

/** The CPU, by XNNPACK's kernels or without them by LiteRT's own. */
class Cpu(private val xnnpack: Boolean = true) : Accelerator {
    override val name = "cpu"

    override fun open(content: ByteBuffer, threads: Int): TensorModel = LiteRtModel(content, threads, xnnpack)
}

/** The GPU, by a delegate of LiteRT: `Gpu { GpuDelegate() }`, with `litert-gpu` and `litert-gpu-api` in your app. */
class Gpu(private val delegate: () -> Delegate) : Accelerator {
    override val name = "gpu"

    override fun open(content: ByteBuffer, threads: Int): TensorModel =
        onOneThread { LiteRtModel(content, threads, delegate = delegate()) }
}

/** A model that is opened, run and closed on a thread of its own, as a GPU asks for. */
fun onOneThread(open: () -> TensorModel): TensorModel {
    val thread = Executors.newSingleThreadExecutor { Thread(it, "fer-accelerator").apply { isDaemon = true } }
    fun <T> there(work: () -> T): T = try {
        thread.submit(Callable(work)).get()
    } catch (error: ExecutionException) {
        throw error.cause ?: error
    }
    val model = try {
        there(open)
    } catch (error: Throwable) {
        thread.shutdown()
        throw error
    }
    return object : TensorModel by model {
        override fun run(values: ByteBuffer, shape: List<Int>) = there { model.run(values, shape) }

        override fun close() {
            there(model::close)
            thread.shutdown()
        }
    }
}
