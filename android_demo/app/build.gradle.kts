plugins {
    alias(libs.plugins.android.application)
}

val checkout: File = rootDir.parentFile

/** With what the library brings along, this is what `fer-mobile android bundle` copies; a test compares the two. */
abstract class BundleAssets : DefaultTask() {
    @get:InputDirectory @get:PathSensitive(PathSensitivity.RELATIVE) abstract val models: DirectoryProperty
    @get:InputDirectory @get:PathSensitive(PathSensitivity.RELATIVE) abstract val photos: DirectoryProperty
    @get:InputDirectory @get:PathSensitive(PathSensitivity.RELATIVE) abstract val golden: DirectoryProperty
    @get:OutputDirectory abstract val assets: DirectoryProperty
    @get:Inject abstract val files: FileSystemOperations

    @TaskAction
    fun bundle() {
        files.sync {
            into(assets)
            into("models") {
                from(models) {
                    include("*/*_int8.tflite", "*/*_int8.json")
                    exclude("*_fer2013/**") // a copy for another protocol
                    eachFile { path = "models/$name" }
                    includeEmptyDirs = false
                }
            }
            into("licences") { from(models.file("LICENSE")) { rename { "models.txt" } } }
            into("photos/affective-25") { from(photos) }
            into("reference") { from(golden.file("faces.png")) }
        }
    }
}

val bundleAssets = tasks.register<BundleAssets>("bundleAssets") {
    models = checkout.resolve("models")
    photos = checkout.resolve("fer_mobile/photos/affective-25")
    golden = checkout.resolve("fer_mobile/golden")
}
androidComponents {
    onVariants { it.sources.assets?.addGeneratedSourceDirectory(bundleAssets, BundleAssets::assets) }
}

android {
    namespace = "org.fermobile.gallery"
    compileSdk = libs.versions.compileSdk.get().toInt()

    defaultConfig {
        applicationId = "org.fermobile.gallery"
        minSdk = libs.versions.minSdk.get().toInt()
        targetSdk = libs.versions.targetSdk.get().toInt()
        versionCode = libs.versions.appCode.get().toInt()
        versionName = libs.versions.app.get()
        testInstrumentationRunner = "androidx.test.runner.AndroidJUnitRunner"
        ndk { abiFilters += listOf("arm64-v8a", "armeabi-v7a", "x86_64") }
    }
    androidResources { noCompress += "tflite" } // so that a model can be mapped
    buildTypes {
        release {
            isMinifyEnabled = true
            isShrinkResources = true
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"))
            // To try the shrunk app; a store wants a key of your own.
            signingConfig = signingConfigs.getByName("debug")
        }
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }
    packaging { resources.excludes += "META-INF/{AL2.0,LGPL2.1}" }
    testOptions {
        unitTests {
            isIncludeAndroidResources = true
            all { test ->
                test.systemProperty("fermobile.root", checkout.path)
                // offline/verify.sh makes Android's library of the interpreter run on a JVM, and runs
                // the tests that need it.
                test.useJUnit { excludeCategories("org.fermobile.gallery.OfflineProof") }
            }
        }
    }
}

kotlin {
    compilerOptions {
        allWarningsAsErrors = true
    }
}

dependencies {
    implementation(project(":fer"))
    implementation(project(":gallery"))
    implementation(libs.bundles.core)
    implementation(libs.bundles.app)
    runtimeOnly(libs.bundles.gpu)
    testImplementation(libs.bundles.test)
    androidTestImplementation(libs.junit)
    androidTestImplementation(libs.bundles.instrumented)
}
