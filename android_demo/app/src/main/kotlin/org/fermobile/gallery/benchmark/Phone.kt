package org.fermobile.gallery.benchmark

import android.app.ActivityManager
import android.content.Context
import android.os.BatteryManager
import android.os.Build
import android.os.PowerManager
import org.fermobile.gallery.logic.Hardware
import org.fermobile.gallery.logic.Software
import org.tensorflow.lite.TensorFlowLite
import java.io.File
import java.io.IOException

private val THERMAL_STATES =
    listOf("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")

/** Remembers the worst thermal state of a run. */
class Thermometer(context: Context) {
    private val power = context.getSystemService(PowerManager::class.java)
    private var worst = -1

    fun look() {
        if (Build.VERSION.SDK_INT >= 29) worst = maxOf(worst, power.currentThermalStatus)
    }

    val state: String? get() = THERMAL_STATES.getOrNull(worst)
}

/** What the phone says of itself. */
fun hardwareOf(context: Context, thermalState: String?): Hardware {
    val memory = ActivityManager.MemoryInfo()
    context.getSystemService(ActivityManager::class.java).getMemoryInfo(memory)
    val soc = if (Build.VERSION.SDK_INT >= 31) "${Build.SOC_MANUFACTURER} ${Build.SOC_MODEL}" else Build.HARDWARE
    return Hardware(
        cpu = soc,
        machine = Build.SUPPORTED_ABIS.firstOrNull() ?: "unknown",
        cores = Runtime.getRuntime().availableProcessors(),
        memoryMb = (memory.totalMem / 1_000_000).toInt(),
        phone = "${Build.MANUFACTURER} ${Build.MODEL}",
        governor = lineOf("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        thermalState = thermalState,
        batteryCharging = context.getSystemService(BatteryManager::class.java)?.isCharging,
    )
}

fun softwareOf(context: Context): Software {
    val version = context.packageManager.getPackageInfo(context.packageName, 0).versionName
    return Software(
        os = "Android ${Build.VERSION.RELEASE} (API ${Build.VERSION.SDK_INT})",
        kernel = System.getProperty("os.version")?.let { "Linux $it" },
        app = version ?: "unknown",
        runtime = "TensorFlow Lite ${TensorFlowLite.runtimeVersion()}",
    )
}

/** Largest resident memory of the process so far, 10^6 bytes; null where the kernel does not tell. */
fun peakMemoryMb(): Double? = try {
    File("/proc/self/status").useLines { lines ->
        lines.firstOrNull { it.startsWith("VmHWM:") }
            ?.filter(Char::isDigit)?.toDoubleOrNull()?.let { it * 1024 / 1e6 }
    }
} catch (_: IOException) {
    null
}

private fun lineOf(path: String): String? = try {
    File(path).readText().trim().ifEmpty { null }
} catch (_: IOException) {
    null
}
